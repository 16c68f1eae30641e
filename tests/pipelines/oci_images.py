"""Small OCI images made by hand, as a build leaves them: a layer with one installed Python package in it."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def image(layout: Path, tag: str, package: str | None) -> str:
    """Adds an image to an OCI layout; its digest. Without a package it is an empty one."""
    (layout / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
    layer = _layer(package)
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]}
    config = {"architecture": "amd64", "os": "linux", "config": {"Labels": {"tag": tag}}, "rootfs": rootfs}
    layers = [_blob(layout, LAYER, layer)]
    content = {"schemaVersion": 2, "mediaType": MANIFEST, "config": _blob(layout, CONFIG, _json(config))}
    manifest = _blob(layout, MANIFEST, _json({**content, "layers": layers}))
    index = layout / "index.json"
    listed = json.loads(index.read_bytes())["manifests"] if index.exists() else []
    listed.append({**manifest, "annotations": {"org.opencontainers.image.ref.name": tag}})
    index.write_bytes(_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}))
    (layout / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    return str(manifest["digest"])


def _layer(package: str | None) -> bytes:
    files = {"etc/os-release": b'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n'}
    if package:
        place = f"usr/lib/python3.13/site-packages/{package}-1.0.dist-info"
        files[f"{place}/METADATA"] = f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n".encode()
        files[f"{place}/RECORD"] = b""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return held.getvalue()


def _blob(layout: Path, media_type: str, content: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    (layout / "blobs" / "sha256" / digest).write_bytes(content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def _json(content: Any) -> bytes:
    return json.dumps(content).encode()
