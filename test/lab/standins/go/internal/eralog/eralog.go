// Package eralog writes log lines in the shape of Istio's own log of that time: time, tab, level, tab, text
// (citadel facts 10).
package eralog

import (
	"fmt"
	"os"
	"time"
)

// Info writes one line of level info.
func Info(format string, args ...any) { write("info", format, args) }

// Warn writes one line of level warn.
func Warn(format string, args ...any) { write("warn", format, args) }

// Error writes one line of level error.
func Error(format string, args ...any) { write("error", format, args) }

// Fatal writes one line of level error and ends the process with 255, as the real components do.
func Fatal(format string, args ...any) {
	write("error", format, args)
	os.Exit(255)
}

func write(level, format string, args []any) {
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")
	fmt.Fprintf(os.Stdout, "%s\t%s\t%s\n", now, level, fmt.Sprintf(format, args...))
}
