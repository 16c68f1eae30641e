package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"

	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/registry"
	"github.com/notaryproject/notation-go/verifier"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	"github.com/notaryproject/notation-go/verifier/truststore"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
)

const (
	store    = "release"
	attempts = 20 // signatures of one manifest that are looked at
)

// trusted is a trust store that holds what it was given.
type trusted []*x509.Certificate

func (certificates trusted) GetCertificates(_ context.Context, kind truststore.Type, _ string) ([]*x509.Certificate, error) {
	if kind != truststore.TypeCA {
		return nil, nil
	}
	return certificates, nil
}

// policy trusts those certificates, if they carry the subject, for every registry: which one is asked says the caller.
func policy(subject string) *trustpolicy.Document {
	return &trustpolicy.Document{
		Version: "1.0",
		TrustPolicies: []trustpolicy.TrustPolicy{{
			Name:                  store,
			RegistryScopes:        []string{"*"},
			SignatureVerification: trustpolicy.SignatureVerification{VerificationLevel: trustpolicy.LevelStrict.Name},
			TrustStores:           []string{string(truststore.TypeCA) + ":" + store},
			TrustedIdentities:     []string{"x509.subject:" + subject},
		}},
	}
}

func verify(ctx context.Context, certificates []*x509.Certificate, subject string, references []string) error {
	if subject == "" || len(references) == 0 {
		return errors.New("--subject and at least one SERVER/REPOSITORY@DIGEST are needed")
	}
	if err := truststore.ValidateCertificates(certificates); err != nil {
		return fmt.Errorf("--certificates: %w", err)
	}
	judge, err := verifier.New(policy(subject), trusted(certificates), nil)
	if err != nil {
		return err
	}
	for _, reference := range references {
		if err := verifyOne(ctx, judge, reference); err != nil {
			return fmt.Errorf("%s: %w", reference, err)
		}
		fmt.Println(reference + ": verified")
	}
	return nil
}

func verifyOne(ctx context.Context, judge notation.Verifier, reference string) error {
	repository, err := remote.NewRepository(reference)
	if err != nil {
		return err
	}
	if err := repository.Reference.ValidateReferenceAsDigest(); err != nil {
		return errors.New("is named by no digest; a tag can be moved")
	}
	known, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		return err
	}
	repository.Client = &auth.Client{Client: auth.DefaultClient.Client, Cache: auth.NewCache(), Credential: credentials.Credential(known)}
	if host, _, err := net.SplitHostPort(repository.Reference.Registry); err == nil && host == "localhost" {
		repository.PlainHTTP = true
	}
	options := notation.VerifyOptions{ArtifactReference: reference, MaxSignatureAttempts: attempts}
	_, _, err = notation.Verify(ctx, judge, registry.NewRepository(repository), options)
	return err
}
