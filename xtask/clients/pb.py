"""Asks a finger server over Perspective Broker, with Twisted's own client: `pb.py HOST:PORT USER`."""
import sys

from twisted.internet import reactor
from twisted.spread import pb


def done(answer):
    print(answer.decode() if isinstance(answer, bytes) else answer)
    reactor.stop()


def failed(why):
    print(why, file=sys.stderr)
    reactor.stop()


host, port = sys.argv[1].rsplit(":", 1)
factory = pb.PBClientFactory()
reactor.connectTCP(host, int(port), factory)
root = factory.getRootObject()
root.addCallback(lambda finger: finger.callRemote("getUser", sys.argv[2]))
root.addCallbacks(done, failed)
reactor.run()
