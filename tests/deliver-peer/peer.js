// A mail relay and a chat's webhook that misbehave on demand, for the unit tests of common/deliver.
//
//   node peer.js DIRECTORY
//
// DIRECTORY holds good.pem, good.key, other.pem and other.key. Writes the port of its control to stdout; a control
// connection asks one line and is told one:
//
//   smtp [WORD]...     the port of a new relay          http [WORD]...   the port of a new webhook
//   log PORT           what it was sent: JSON           count PORT       how many connections it had
//
// Words of smtp: tls (STARTTLS is offered, with good.pem), inside (TLS from the start), other (with other.pem), auth
// (AUTH PLAIN LOGIN is offered), and STAGE=CODE:TEXT (that reply instead; _ is a blank), STAGE=close, STAGE=stall,
// STAGE=endless, STAGE=drip, STAGE=slow (after 2 seconds) where STAGE is greeting, hello, starttls, login, mail, rcpt,
// data, end or quit.
// Words of http: tls, other, status=N, header=NAME:VALUE, body=TEXT, size=BYTES, close, stall, drip, interim.
'use strict';
const fs = require('fs');
const net = require('net');
const tls = require('tls');

const directory = process.argv[2];
const peers = new Map();

const pair = (name) => ({
    key: fs.readFileSync(`${directory}/${name}.key`),
    cert: fs.readFileSync(`${directory}/${name}.pem`),
});

function read(words) {
    const mode = { flags: new Set(), set: new Map() };
    for (const word of words) {
        const at = word.indexOf('=');
        if (at < 0) mode.flags.add(word);
        else mode.set.set(word.slice(0, at), word.slice(at + 1).replace(/_/g, ' '));
    }
    return mode;
}

const context = (mode) => tls.createSecureContext(pair(mode.flags.has('other') ? 'other' : 'good'));
const secure = (socket, mode) => new tls.TLSSocket(socket, { isServer: true, secureContext: context(mode) });

// --- smtp -------------------------------------------------------------------------------------------------------------

function answer(socket, mode, stage, usual) {
    const wanted = mode.set.get(stage);
    if (wanted === 'close') return void socket.destroy();
    if (wanted === 'stall') return;
    if (wanted === 'slow') return void setTimeout(() => socket.write(`${usual}\r\n`), 2000);
    if (wanted === 'endless') {
        const line = '250-' + 'x'.repeat(200) + '\r\n';
        const more = () => { while (!socket.destroyed && socket.write(line)); };
        socket.on('drain', more);
        return void more();
    }
    if (wanted === 'drip') {
        const timer = setInterval(() => (socket.destroyed ? clearInterval(timer) : socket.write('2')), 100);
        return;
    }
    if (wanted === undefined) return void socket.write(`${usual}\r\n`);
    socket.write(`${wanted.slice(0, 3)} ${wanted.slice(4)}\r\n`);
}

function hello(mode, encrypted) {
    const lines = ['peer.example', '8BITMIME'];
    if (mode.flags.has('tls') && !encrypted) lines.push('STARTTLS');
    if (mode.flags.has('auth')) lines.push('AUTH PLAIN LOGIN');
    return lines.map((line, i) => `250${i === lines.length - 1 ? ' ' : '-'}${line}`).join('\r\n');
}

function converse(first, mode, session) {
    let socket = first;
    let buffer = '';
    let inData = false;
    let login = 0;

    const onLine = (line) => {
        session.commands.push(line);
        const verb = line.split(/[ :]/)[0].toUpperCase();
        if (login > 0) {
            login--;
            if (login > 0) return void socket.write('334 UGFzc3dvcmQ6\r\n');
            return answer(socket, mode, 'login', '235 2.7.0 ok');
        }
        switch (verb) {
        case 'EHLO': case 'HELO': return answer(socket, mode, 'hello', hello(mode, session.encrypted));
        case 'STARTTLS':
            if (mode.set.has('starttls')) return answer(socket, mode, 'starttls', '');
            socket.write('220 go\r\n');
            socket.removeAllListeners('data');
            socket = secure(socket, mode);
            session.encrypted = true;
            return void listen();
        case 'AUTH':
            if (/^AUTH PLAIN .+/.test(line)) return answer(socket, mode, 'login', '235 2.7.0 ok');
            login = /^AUTH LOGIN$/.test(line) ? 2 : 1;
            return void socket.write('334 \r\n');
        case 'MAIL': return answer(socket, mode, 'mail', '250 2.1.0 ok');
        case 'RCPT': return answer(socket, mode, 'rcpt', '250 2.1.5 ok');
        case 'DATA':
            if (mode.set.has('data')) return answer(socket, mode, 'data', '');
            inData = true;
            return void socket.write('354 go ahead\r\n');
        case 'QUIT':
            if (mode.set.has('quit')) return answer(socket, mode, 'quit', '');
            return void socket.end('221 bye\r\n');
        default: return void socket.write('502 what?\r\n');
        }
    };
    const onData = (chunk) => {
        buffer += chunk.toString('latin1');
        for (;;) {
            const end = inData ? buffer.indexOf('\r\n.\r\n') : buffer.indexOf('\r\n');
            if (end < 0) return;
            const text = buffer.slice(0, end);
            buffer = buffer.slice(end + (inData ? 5 : 2));
            if (inData) {
                inData = false;
                session.messages.push(text.replace(/\r\n\./g, '\r\n') + '\r\n');
                answer(socket, mode, 'end', '250 2.0.0 taken');
            } else {
                onLine(text);
            }
        }
    };
    function listen() {
        socket.on('error', (error) => { session.error = error.message; });
        socket.on('data', onData);
    }
    listen();
    answer(socket, mode, 'greeting', '220 peer.example ESMTP');
}

function relay(mode) {
    const sessions = [];
    const server = net.createServer((socket) => {
        const session = { commands: [], messages: [], encrypted: mode.flags.has('inside') };
        sessions.push(session);
        socket.on('error', () => {});
        converse(mode.flags.has('inside') ? secure(socket, mode) : socket, mode, session);
    });
    return { server, sessions };
}

// --- http -------------------------------------------------------------------------------------------------------------

function respond(socket, mode) {
    const status = mode.set.get('status') || '200';
    const body = mode.set.get('body') || '';
    const size = Number(mode.set.get('size') || body.length);
    const header = mode.set.has('header') ? `${mode.set.get('header')}\r\n` : '';

    if (mode.flags.has('close')) return void socket.destroy();
    if (mode.flags.has('stall')) return;
    if (mode.flags.has('interim')) return void socket.end('HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n');
    if (mode.flags.has('drip')) {
        const timer = setInterval(() => (socket.destroyed ? clearInterval(timer) : socket.write('H')), 100);
        return;
    }
    socket.write(`HTTP/1.1 ${status} x\r\nDate: ${new Date().toUTCString()}\r\n${header}Content-Length: ${size}\r\n\r\n`);
    if (size === body.length) return void socket.end(body);
    const chunk = Buffer.alloc(16384, 'x');
    let left = size;
    const more = () => {
        while (left > 0 && !socket.destroyed) {
            left -= chunk.length;
            if (!socket.write(chunk)) return;
        }
        socket.end();
    };
    socket.on('drain', more);
    more();
}

function webhook(mode) {
    const sessions = [];
    const server = net.createServer((plain) => {
        const session = { requests: [] };
        let text = '';
        sessions.push(session);
        plain.on('error', () => {});
        const socket = mode.flags.has('tls') ? secure(plain, mode) : plain;
        socket.on('error', (error) => { session.error = error.message; });
        socket.on('data', (chunk) => {
            text += chunk.toString('latin1');
            const end = text.indexOf('\r\n\r\n');
            const length = end < 0 ? 0 : Number((/^content-length: *(\d+)/im.exec(text.slice(0, end)) || [0, 0])[1]);
            if (end < 0 || text.length < end + 4 + length) return;
            const request = text.slice(0, end + 4 + length);
            text = text.slice(end + 4 + length);
            session.requests.push({
                head: request.slice(0, end),
                body: Buffer.from(request.slice(end + 4), 'latin1').toString('utf8'),
            });
            respond(socket, mode);
        });
    });
    return { server, sessions };
}

// --- control ----------------------------------------------------------------------------------------------------------

function control(line, reply) {
    const [what, ...words] = line.trim().split(' ');
    if (what === 'log') return reply(JSON.stringify(peers.get(Number(words[0])).sessions));
    if (what === 'count') return reply(String(peers.get(Number(words[0])).sessions.length));
    const peer = (what === 'smtp' ? relay : webhook)(read(words));
    peer.server.listen(0, '127.0.0.1', () => {
        const port = peer.server.address().port;
        peers.set(port, peer);
        reply(String(port));
    });
}

const controller = net.createServer((socket) => {
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
        text += chunk;
        if (text.endsWith('\n')) control(text, (said) => socket.end(`${said}\n`));
    });
});
controller.listen(0, '127.0.0.1', () => console.log(controller.address().port));
// The test that started it holds the other end; when that is gone, so is the reason to be here.
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
