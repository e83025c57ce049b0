package main

import (
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"time"
)

const (
	pollInterval = time.Second
	// settle lets whoever replaces the three files finish before Envoy reads them.
	settle = 2 * time.Second
)

// watchCertificates tells of every change of the three files of /etc/certs (citadel facts 6), once they have settled.
func watchCertificates(ctx context.Context) <-chan struct{} {
	changes := make(chan struct{})
	go func() {
		known := fingerprint()
		for pause(ctx, pollInterval) {
			seen := fingerprint()
			if seen == known {
				continue
			}
			for pause(ctx, settle) {
				again := fingerprint()
				if again == seen {
					break
				}
				seen = again
			}
			known = seen
			select {
			case changes <- struct{}{}:
			case <-ctx.Done():
			}
		}
	}()
	return changes
}

func fingerprint() [sha256.Size]byte {
	hash := sha256.New()
	for _, name := range []string{"cert-chain.pem", "key.pem", "root-cert.pem"} {
		data, err := os.ReadFile(filepath.Join(certificateDirectory, name))
		if err != nil {
			hash.Write([]byte("missing"))
		}
		hash.Write([]byte{byte(len(data)), byte(len(data) >> 8)})
		hash.Write(data)
	}
	return [sha256.Size]byte(hash.Sum(nil))
}
