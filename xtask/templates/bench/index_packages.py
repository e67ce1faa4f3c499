"""Makes the packages of `bench index` in the folder ARGV[1], the same bytes each time.

page/    500 wheels of one project and a wheel of 5 MiB      many/    5,000 wheels of 500 projects
upload/  300 wheels of as many projects
"""
import base64
import hashlib
import os
import random
import sys
import zipfile

TIME = (2026, 1, 1, 0, 0, 0)


def wheel(folder, name, version, payload=b""):
    os.makedirs(folder, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: a package of the bench\n"
    metadata += "Requires-Python: >=3.8\nRequires-Dist: packaging (>=20)\n\n" + "A line of its readme.\n" * 40
    files = {
        f"{name}.py": f"version = {version!r}\n".encode() + payload,
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digest = lambda data: base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    record = "".join(f"{path},sha256={digest(data)},{len(data)}\n" for path, data in files.items())
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    how = zipfile.ZIP_STORED if payload else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(f"{folder}/{name}-{version}-py3-none-any.whl", "w", how) as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path, TIME), data, how)


def main(top):
    for number in range(500):
        wheel(f"{top}/page", "benchproj", f"1.{number}")
    wheel(f"{top}/page", "bigfile", "1.0", b"#" + random.Random(42).randbytes(5 * 1024 * 1024).hex().encode()[: 5 * 1024 * 1024])
    for project in range(500):
        for number in range(10):
            wheel(f"{top}/many/project{project}", f"project{project}", f"1.{number}")
    for number in range(300):
        wheel(f"{top}/upload", f"upload{number}", "1.0")


main(sys.argv[1])
