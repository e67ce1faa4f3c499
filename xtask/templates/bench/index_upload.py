"""Uploads wheels as twine does, one after the other: ARGV is the address, user and password (or `-` twice), then files.

With `devpi` before them the user and the index are made first, and the password is changed into a token, as
`devpi login` does.
"""
import base64
import hashlib
import json
import os
import sys
import urllib.request


def send(address, data, headers, method="POST"):
    request = urllib.request.Request(address, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=300) as answer:
        return answer.read()


def form(path):
    with open(path, "rb") as file:
        content = file.read()
    filename = os.path.basename(path)
    name, version = filename.split("-")[:2]
    fields = {
        ":action": "file_upload",
        "protocol_version": "1",
        "name": name,
        "version": version,
        "filetype": "bdist_wheel",
        "pyversion": "py3",
        "metadata_version": "2.1",
        "requires_python": ">=3.8",
        "sha256_digest": hashlib.sha256(content).hexdigest(),
        "md5_digest": hashlib.md5(content).hexdigest(),
    }
    part = '--bench\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n'
    body = b"".join(part.format(key, "").encode() + value.encode() + b"\r\n" for key, value in fields.items())
    return body + part.format("content", f'; filename="{filename}"').encode() + content + b"\r\n--bench--\r\n"


def made(address, what, headers):
    try:
        send(address, json.dumps(what).encode(), headers, "PUT")
    except urllib.error.HTTPError as error:
        if error.code != 409:
            raise


def devpi(address, user, password):
    top = address.split(f"/{user}/")[0]
    json_type = {"Content-Type": "application/json", "Accept": "application/json"}
    made(f"{top}/{user}", {"password": password}, json_type)
    login = json.loads(send(f"{top}/+login", json.dumps({"user": user, "password": password}).encode(), json_type))
    token = login["result"]["password"]
    known = {"X-Devpi-Auth": base64.b64encode(f"{user}:{token}".encode()).decode(), **json_type}
    made(address.rstrip("/"), {"type": "stage", "bases": [], "volatile": True}, known)
    return token


def main(words):
    is_devpi = words[0] == "devpi"
    address, user, password, *files = words[is_devpi:]
    if is_devpi:
        password = devpi(address, user, password)
    headers = {"Content-Type": "multipart/form-data; boundary=bench"}
    if user != "-":
        headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    for path in files:
        send(address, form(path), headers)


main(sys.argv[1:])
