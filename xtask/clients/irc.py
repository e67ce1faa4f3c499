"""Asks a bot on IRC and prints its answer: `irc.py HOST:PORT NICK WORDS`. Asks again until the bot is there."""
import socket
import sys
import time

host, port = sys.argv[1].rsplit(":", 1)
bot, words = sys.argv[2], " ".join(sys.argv[3:])
deadline = time.monotonic() + 60
with socket.create_connection((host, int(port)), timeout=60) as server:
    lines = server.makefile("r", encoding="utf-8", newline="\r\n")

    def say(line):
        server.sendall(f"{line}\r\n".encode())

    say("NICK asker")
    say("USER asker 0 * :asker")
    for line in lines:
        parts = line.rstrip("\r\n").split(" ", 3)
        if parts[0] == "PING":
            say(f"PONG {parts[1]}")
        elif parts[1] == "001":
            say(f"PRIVMSG {bot} :{words}")
        elif parts[1] == "401" and time.monotonic() < deadline:
            time.sleep(0.2)
            say(f"PRIVMSG {bot} :{words}")
        elif parts[1] in ("401", "ERROR"):
            sys.exit(f"there is no {bot}: {line}")
        elif parts[1] in ("PRIVMSG", "NOTICE") and parts[0].startswith(f":{bot}!"):
            print(parts[3].removeprefix(":"))
            break
