// Command notary signs what a registry holds, and verifies that it was signed, as the Notary Project specifies.
//
//	notary sign --key URL --certificates FILE --out FILE <descriptor.json
//	notary verify --certificates FILE --subject NAME SERVER/REPOSITORY@DIGEST…
//
// sign reads the descriptor of a manifest and writes an envelope over it. The key stays in its vault: the Azure CLI, as
// whoever is signed in, has the vault sign one hash. It needs no registry, so that whoever signs may push nothing.
//
// verify reads the signatures that are attached to each manifest. One must be valid, be made with a certificate that is
// trusted, and carry the subject; anything else is an error. Credentials of the registry come from DOCKER_CONFIG.
//
// Exit codes: 0 signed or verified, 1 not, 2 wrong arguments.
package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// What it was built from; tools.sh says, and asks for it again.
var source = "unknown"

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	certificates := flags.String("certificates", "", "PEM file: the certificates that are trusted; to sign, the signer's chain")
	key := flags.String("key", "", "sign: the key and its version, https://<vault>/keys/<name>/<version>")
	out := flags.String("out", "", "sign: file that the envelope is written to")
	subject := flags.String("subject", "", "verify: distinguished name that the signer's certificate must carry")
	_ = flags.Parse(os.Args[2:]) // exits by itself
	chain, err := readCertificates(*certificates)
	if err == nil {
		switch os.Args[1] {
		case "sign":
			err = sign(context.Background(), os.Stdin, *key, chain, *out)
		case "verify":
			err = verify(context.Background(), chain, *subject, flags.Args())
		default:
			usage()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "notary:", strings.Join(strings.Fields(err.Error()), " "))
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "notary ("+source+"): notary sign --key URL --certificates FILE --out FILE <descriptor.json")
	fmt.Fprintln(os.Stderr, "       notary verify --certificates FILE --subject NAME SERVER/REPOSITORY@DIGEST…")
	os.Exit(2)
}

func readCertificates(path string) ([]*x509.Certificate, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--certificates: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	var found []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		found = append(found, certificate)
	}
	if len(found) == 0 {
		return nil, errors.New(path + ": holds no certificate")
	}
	return found, nil
}
