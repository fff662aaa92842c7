'use strict';
// Calls on the worker's socket at a given rate, whether or not the calls before have been answered, each on a
// connection of its own, as hook and CLI make them: node many-calls.js SOCKET RATE SECONDS CALL...
// A CALL is METHOD=PARAMETERS; they take turns. On a machine that cannot keep up, new ones wait while the kernel's queue of
// connections would overflow: the rate falls then, and it takes longer. Prints {"calls","answers","errors","seconds",
// "p50","p99","worst"}: `errors` are connections that were refused or ended without an answer, seconds is how long it took
// to begin them all, the others are milliseconds from connect to answer.

const net = require('net');

const [path, rate, seconds, ...calls] = process.argv.slice(2);
const requests = calls.map((call) => {
    const at = call.indexOf('=');
    return `${JSON.stringify({ method: call.slice(0, at), parameters: JSON.parse(call.slice(at + 1)) })}\0`;
});
const total = rate * seconds;
const OPEN_MAX = 900; // the worker's queue holds 1,024
let beganAll = 0;
const took = [];
let begun = 0;
let ended = 0;
let errors = 0;

function report() {
    took.sort((a, b) => a - b);
    const at = (share) => Math.round(10 * took[Math.min(took.length - 1, Math.floor(share * took.length))]) / 10;
    console.log(JSON.stringify({ calls: total, answers: took.length, errors, seconds: Math.round(beganAll / 100) / 10,
        p50: at(0.5), p99: at(0.99), worst: at(1) }));
    process.exit(errors === 0 ? 0 : 1);
}

function end(since, answered) {
    if (answered)
        took.push(performance.now() - since);
    else
        errors++;
    if (++ended === total)
        report();
}

function call(request) {
    const since = performance.now();
    let answered = false;
    const socket = net.connect(path, () => socket.write(request));
    socket.on('data', (bytes) => {
        if (bytes[bytes.length - 1] !== 0)
            return;
        answered = true;
        socket.end();
    });
    socket.on('error', () => {});
    socket.on('close', () => end(since, answered));
}

const started = performance.now();
const timer = setInterval(() => {
    const due = Math.min(total, Math.floor(((performance.now() - started) / 1000) * rate));
    for (; begun < due && begun - ended < OPEN_MAX; begun++)
        call(requests[begun % requests.length]);
    if (begun === total) {
        beganAll = performance.now() - started;
        clearInterval(timer);
    }
}, 5);
