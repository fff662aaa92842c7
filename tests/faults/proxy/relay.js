'use strict';
// The outer half of the fault proxy: TCP connections as they come, bytes that are not opened, and what can be done to
// them: by a rule for connections, or by an action of an exchange that asks for its line.

const net = require('net');

const GOOD = 'good';

/** One connection of the worker's, and the one to the TLS server inside that serves it. */
class Line {
    constructor(client) {
        this.client = client;
        this.left = Infinity; // bytes that may still go to the client
        this.end = 'reset';
        client.on('error', () => {});
        client.on('close', () => this.inner && this.inner.destroy());
    }

    open(port) {
        this.inner = net.connect({ host: '127.0.0.1', port });
        this.inner.on('error', () => this.client.destroy());
        this.inner.on('close', () => this.client.destroy());
        this.inner.on('data', (bytes) => this.toClient(bytes));
        this.inner.on('end', () => this.client.end());
        this.client.on('end', () => this.inner.end());
        this.client.pipe(this.inner, { end: false });
    }

    toClient(bytes) {
        const part = bytes.subarray(0, Math.min(this.left, bytes.length));
        this.left -= part.length;
        this.client.write(part, () => {
            if (this.left <= 0)
                this.stop();
        });
    }

    /** After so many more bytes it ends: reset (RST), or fin (FIN, without TLS's own word of farewell). */
    cutAfter(bytes, end) {
        this.left = bytes;
        this.end = end;
        if (bytes <= 0)
            this.stop();
    }

    stop() {
        if (this.end === 'reset')
            this.client.resetAndDestroy();
        else
            this.client.end();
        if (this.inner)
            this.inner.destroy();
    }
}

// What a rule for a connection does to it. Each returns the certificate to serve it with, or nothing: it is not served.
const CONNECTIONS = {
    refuse: (line) => { line.client.resetAndDestroy(); },
    mute: (line) => { line.client.resume(); },
    'hello-reset': (line) => { line.client.once('data', () => line.client.resetAndDestroy()); },
    plain: (line) => { line.client.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'); },
    certificate: (line, { name }) => name,
    cut: (line, { after, end }) => {
        line.cutAfter(after, end);
        return GOOD;
    },
};

class Relay {
    constructor(proxy) {
        this.proxy = proxy;
        this.lines = new Map(); // by the port that the TLS server inside sees
        this.servers = [];
    }

    async listen(port) {
        await this.listenAt({ host: '127.0.0.1', port });
        await this.listenAt({ host: '::1', port, ipv6Only: true }).catch(() => {});
    }

    listenAt(where) {
        return new Promise((resolve, reject) => {
            const server = net.createServer({ noDelay: true, allowHalfOpen: true }, (client) => this.accept(client));
            server.once('error', reject);
            server.listen(where, resolve);
            this.servers.push(server);
        });
    }

    accept(client) {
        const line = new Line(client);
        const rule = this.proxy.pick('connection', {});
        const certificate = rule ? CONNECTIONS[rule.action](line, rule.how) : GOOD;
        if (!certificate)
            return;
        line.open(this.proxy.portFor(certificate));
        line.inner.on('connect', () => {
            const { localPort } = line.inner;
            this.lines.set(localPort, line);
            line.inner.on('close', () => this.lines.delete(localPort));
        });
    }

    lineOf(socket) {
        return this.lines.get(socket.remotePort);
    }
}

module.exports = { Relay };
