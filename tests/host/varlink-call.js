'use strict';
// One varlink call as another program would make it: node varlink-call.js SOCKET METHOD PARAMETERS [more]
// Prints each reply as a line of JSON; exits 0 at the last one, 1 at an error, 2 if the connection ends before.

const net = require('net');

const [path, method, parameters, more] = process.argv.slice(2);
const request = { method, parameters: JSON.parse(parameters), ...(more ? { more: true } : {}) };
const socket = net.connect(path, () => socket.write(`${JSON.stringify(request)}\0`));
let received = Buffer.alloc(0);

socket.on('data', (bytes) => {
    received = Buffer.concat([received, bytes]);
    for (let end; (end = received.indexOf(0)) >= 0; received = received.subarray(end + 1)) {
        const reply = JSON.parse(received.subarray(0, end).toString('utf8'));
        console.log(JSON.stringify(reply));
        if (reply.continues)
            continue;
        process.exitCode = reply.error ? 1 : 0;
        socket.end();
    }
});
socket.on('error', () => { process.exitCode = 2; });
process.exitCode = 2;
