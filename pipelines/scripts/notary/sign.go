package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/notaryproject/notation-core-go/signature"
	"github.com/notaryproject/notation-core-go/signature/cose"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

const payloadType = "application/vnd.cncf.notary.payload.v1+json"

// inVault signs with a key that stays in its vault.
type inVault struct {
	ctx   context.Context
	key   string
	chain []*x509.Certificate
}

// What the vault calls an algorithm of the specification, and the hash that it signs.
var algorithms = map[signature.Algorithm]struct {
	name string
	hash crypto.Hash
}{
	signature.AlgorithmPS256: {"PS256", crypto.SHA256},
	signature.AlgorithmPS384: {"PS384", crypto.SHA384},
	signature.AlgorithmPS512: {"PS512", crypto.SHA512},
	signature.AlgorithmES256: {"ES256", crypto.SHA256},
	signature.AlgorithmES384: {"ES384", crypto.SHA384},
	signature.AlgorithmES512: {"ES512", crypto.SHA512},
}

func (signer inVault) KeySpec() (signature.KeySpec, error) {
	return signature.ExtractKeySpec(signer.chain[0])
}

// Sign has the vault sign the hash of what is to be signed.
func (signer inVault) Sign(payload []byte) ([]byte, []*x509.Certificate, error) {
	spec, err := signer.KeySpec()
	if err != nil {
		return nil, nil, err
	}
	algorithm, known := algorithms[spec.SignatureAlgorithm()]
	if !known {
		return nil, nil, errors.New("the certificate's key is of no kind that can be signed with")
	}
	hash := algorithm.hash.New()
	hash.Write(payload)
	command := exec.CommandContext(signer.ctx, "az", "keyvault", "key", "sign", "--id", signer.key,
		"--algorithm", algorithm.name, "--digest", base64.StdEncoding.EncodeToString(hash.Sum(nil)),
		"--query", "signature", "--output", "tsv")
	said, err := command.Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			return nil, nil, fmt.Errorf("az keyvault key sign: %s", failed.Stderr)
		}
		return nil, nil, err
	}
	// Of base64's two alphabets, the service speaks one and its command line the other.
	text := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(strings.TrimSpace(string(said)), "="))
	signed, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil, nil, fmt.Errorf("az keyvault key sign: the answer is no signature: %w", err)
	}
	return signed, signer.chain, nil
}

// sign writes an envelope over the manifest whose descriptor it reads. It is verified before it is written.
func sign(ctx context.Context, input io.Reader, key string, chain []*x509.Certificate, out string) error {
	if key == "" || out == "" {
		return errors.New("--key and --out are needed")
	}
	var target v1.Descriptor
	if err := json.NewDecoder(input).Decode(&target); err != nil {
		return fmt.Errorf("the descriptor is not JSON: %w", err)
	}
	if err := target.Digest.Validate(); err != nil || target.MediaType == "" || target.Size <= 0 {
		return errors.New("the descriptor must have mediaType, digest and size")
	}
	target = v1.Descriptor{MediaType: target.MediaType, Digest: target.Digest, Size: target.Size}
	content, err := json.Marshal(map[string]v1.Descriptor{"targetArtifact": target})
	if err != nil {
		return err
	}
	request := &signature.SignRequest{
		Payload:       signature.Payload{ContentType: payloadType, Content: content},
		Signer:        inVault{ctx, key, chain},
		SigningTime:   time.Now(),
		SigningScheme: signature.SigningSchemeX509,
		SigningAgent:  "aks-cicd-notary/1",
	}
	envelope, err := signature.NewEnvelope(cose.MediaTypeEnvelope)
	if err != nil {
		return err
	}
	signed, err := envelope.Sign(request.WithContext(ctx))
	if err != nil {
		return err
	}
	if _, err := envelope.Verify(); err != nil {
		return fmt.Errorf("the certificate is not the key's: %w", err)
	}
	return os.WriteFile(out, signed, 0o644)
}
