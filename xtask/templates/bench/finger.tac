"""A finger server as Twisted's finger tutorial builds one up: a users file, read again now and then, one line a query."""
from twisted.application import internet, service
from twisted.internet import defer, protocol, reactor
from twisted.protocols import basic


class Finger(basic.LineReceiver):
    def lineReceived(self, user):
        answer = self.factory.status(user)
        answer.addErrback(lambda _: b"Internal error in server")
        answer.addCallback(self.answer)

    def answer(self, text):
        self.transport.write(text + b"\r\n")
        self.transport.loseConnection()


class Directory(service.Service):
    def __init__(self, path):
        self.path = path
        self.users = {}

    def startService(self):
        service.Service.startService(self)
        self.read()

    def read(self):
        with open(self.path, "rb") as file:
            for line in file:
                user, status = line.split(b":", 1)
                self.users[user.strip()] = status.strip()
        self.again = reactor.callLater(30, self.read)

    def stopService(self):
        service.Service.stopService(self)
        self.again.cancel()

    def status(self, user):
        return defer.succeed(self.users.get(user, b"No such user"))

    def factory(self):
        factory = protocol.ServerFactory()
        factory.protocol = Finger
        factory.status = self.status
        return factory


application = service.Application("finger")
collection = service.IServiceCollection(application)
directory = Directory("USERS")
directory.setServiceParent(collection)
internet.TCPServer(PORT, directory.factory(), interface="127.0.0.1").setServiceParent(collection)
