package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"mesh-expansion.lab/standins/internal/eralog"
)

const (
	firstRetryDelay = 200 * time.Millisecond
	maxAborts       = 10
	// parentShutdown is how long two epochs run side by side.
	parentShutdown = 3 * time.Second
)

// agent runs Envoy.
type agent struct {
	o     options
	who   role
	pilot string
}

// epoch is one Envoy process.
type epoch struct {
	number  int
	process *os.Process
	ended   chan error
}

func newAgent(o options, who role, pilot string) *agent { return &agent{o: o, who: who, pilot: pilot} }

// run returns nil when it was told to end, an error when Envoy could not be kept running.
func (a *agent) run(ctx context.Context) error {
	changes := watchCertificates(ctx)
	number, budget, delay := 0, maxAborts, firstRetryDelay
	current, err := a.start(number)
	if err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			current.terminate()
			<-current.ended
			return nil
		case <-changes:
			number++
			eralog.Info("certificates of %s have changed: epoch %d", certificateDirectory, number)
			next, err := a.start(number)
			if err != nil {
				current.terminate()
				return err
			}
			go retire(current)
			current, budget, delay = next, maxAborts, firstRetryDelay
		case err := <-current.ended:
			eralog.Error("Epoch %d terminated with an error: %v", current.number, err)
			if budget == 0 {
				return errors.New("Permanent error: budget exhausted trying to fulfill the desired configuration")
			}
			budget--
			eralog.Info("Epoch %d: set retry delay to %v, budget to %d", current.number, delay, budget)
			if !pause(ctx, delay) {
				return nil
			}
			delay *= 2
			if current, err = a.start(number); err != nil {
				return err
			}
		}
	}
}

// start writes the bootstrap and starts Envoy with the command line that `ps` shows on a real machine.
func (a *agent) start(number int) (*epoch, error) {
	file, err := a.writeBootstrap(number)
	if err != nil {
		return nil, err
	}
	command := exec.Command(a.o.binaryPath, "-c", file, "--restart-epoch", strconv.Itoa(number), "--drain-time-s", "2",
		"--parent-shutdown-time-s", "3", "--service-cluster", a.o.serviceCluster, "--service-node", a.who.node(a.o.domain),
		"--max-obj-name-len", "189", "--allow-unknown-fields", "-l", a.o.logLevel, "--v2-config-only")
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("cannot start Envoy: %w", err)
	}
	started := &epoch{number: number, process: command.Process, ended: make(chan error, 1)}
	go func() { started.ended <- exitReason(command.Wait()) }()
	eralog.Info("Epoch %d starting: %v", number, command.Args)
	return started, nil
}

func exitReason(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

func (e *epoch) terminate() { _ = e.process.Signal(syscall.SIGTERM) }

// retire drains an old epoch after the new one has had time to take over; it ends by itself.
func retire(old *epoch) {
	time.Sleep(parentShutdown)
	_ = old.process.Signal(syscall.SIGUSR1)
	eralog.Warn("Epoch %d retired: %v", old.number, <-old.ended)
}

// pause is false when the context ended first.
func pause(ctx context.Context, delay time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(delay):
		return true
	}
}
