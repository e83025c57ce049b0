package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"text/template"
)

const (
	certificateDirectory = "/etc/certs"
	mutualTLS            = "MUTUAL_TLS"
	plainPort            = 15010
	mutualTLSPort        = 15011
	capturePort          = 15001
	pilotIdentity        = "spiffe://cluster.local/ns/%s/sa/istio-pilot-service-account"
)

// pilotAddress takes the host from the flag and the port from the policy: since 0.8 the bootstrap does not look at the
// given port (citadel facts 4, ISTIO_CP_AUTH).
func pilotAddress(o options) (string, error) {
	host, port, err := net.SplitHostPort(o.discoveryAddress)
	if err != nil {
		return "", fmt.Errorf("invalid discovery address: %w", err)
	}
	if number, err := strconv.Atoi(port); err != nil || number < 1 || number > 65535 || host == "" {
		return "", fmt.Errorf("invalid discovery address: %q", o.discoveryAddress)
	}
	chosen := plainPort
	if o.controlPlaneAuth == mutualTLS {
		chosen = mutualTLSPort
	}
	return net.JoinHostPort(host, strconv.Itoa(chosen)), nil
}

// writeBootstrap fills the packaged template and returns the file it wrote.
func (a *agent) writeBootstrap(epoch int) (string, error) {
	text, err := os.ReadFile(a.o.template)
	if err != nil {
		return "", fmt.Errorf("failed to generate bootstrap config: %w", err)
	}
	parsed, err := template.New("bootstrap").Option("missingkey=error").Parse(string(text))
	if err != nil {
		return "", fmt.Errorf("failed to generate bootstrap config: %w", err)
	}
	host, port, err := net.SplitHostPort(a.pilot)
	if err != nil {
		return "", err
	}
	namespace := systemNamespace(host)
	var filled bytes.Buffer
	err = parsed.Execute(&filled, map[string]any{
		"nodeID": a.who.node(a.o.domain), "cluster": a.o.serviceCluster, "pilotHost": host, "pilotPort": port,
		"mutualTLS": a.o.controlPlaneAuth == mutualTLS, "certificates": certificateDirectory,
		"pilotSAN": fmt.Sprintf(pilotIdentity, namespace), "capturePort": capturePort,
	})
	if err != nil {
		return "", fmt.Errorf("failed to generate bootstrap config: %w", err)
	}
	if !json.Valid(filled.Bytes()) {
		return "", fmt.Errorf("failed to generate bootstrap config: %s does not give JSON", a.o.template)
	}
	file := filepath.Join(a.o.configPath, fmt.Sprintf("envoy-rev%d.json", epoch))
	return file, os.WriteFile(file, filled.Bytes(), 0o644)
}

// systemNamespace is the second label of istio-pilot.<namespace>; the identity of Pilot follows from it.
func systemNamespace(host string) string {
	labels := bytes.Split([]byte(host), []byte("."))
	if len(labels) < 2 || net.ParseIP(host) != nil {
		return "istio-system"
	}
	return string(labels[1])
}
