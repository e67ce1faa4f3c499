"""An index for the mirror of the demo where no other can be reached: in the folder ARGV[1] the wheel of one project, and
its page. Any server of files can show it."""
import base64
import hashlib
import pathlib
import sys
import zipfile

NAME, VERSION = "demo_public", "1.0"


def main(top):
    folder = pathlib.Path(top, "simple", NAME.replace("_", "-"))
    folder.mkdir(parents=True)
    info = f"{NAME}-{VERSION}.dist-info"
    files = {
        f"{NAME}.py": "print('hello from upstream')\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: demo\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digest = lambda text: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    record = "".join(f"{path},sha256={digest(text)},{len(text)}\n" for path, text in files.items())
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    wheel = folder / f"{NAME}-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (folder / "index.html").write_text(f'<!DOCTYPE html><a href="{wheel.name}#sha256={sha256}">{wheel.name}</a>\n')


main(sys.argv[1])
