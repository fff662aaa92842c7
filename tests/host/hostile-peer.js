'use strict';
// A peer of entra-invited's socket that means harm, for test-hostile-socket.sh.
//
//     node hostile-peer.js SOCKET SEED ATTACK COUNT [SECONDS]
//
// Prints `ready` once all COUNT connections have had their turn, keeps what it holds for SECONDS (default 0), then prints
// one line of JSON: what it saw. The same SEED sends the same bytes.

const net = require('net');

const [path, seed, attack, count, seconds = 0] = process.argv.slice(2);
const saw = { opened: 0, refused: 0, answers: 0, errors: 0, closed: 0, wrong: 0 };
const held = new Set();

// ---- what is sent ---------------------------------------------------------------------------------------------------

let state = Number(seed) >>> 0 || 1;

function random(below) { // xorshift32
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
}

const call = (method, parameters, more) => Buffer.from(`${JSON.stringify({ method: `io.entrainvite.${method}`, parameters,
    ...more })}\0`);
const status = call('Status', {});
const targets = ['taylor', 'nobody', '', 'a\u0001b', '\u009b31m', "x' OR '1'='1", '../../etc/shadow', '%s%n'];

// Read-only calls: what is damaged below must not happen to be a good `Remove`.
const calls = [
    () => call('Show', { target: targets[random(targets.length)] }),
    () => call('List', { states: ['held'], after: 'many2' }),
    () => call('Wait', { target: 'taylor', timeout: 1 }),
    () => call('Events', { target: targets[random(targets.length)] }),
    () => Buffer.from('{"method":"org.varlink.service.GetInfo"}\0'),
    () => status,
];

function damaged() {
    const bytes = Buffer.concat([calls[random(calls.length)](), calls[random(calls.length)]()]);
    for (let times = 1 + random(4); times > 0; times--)
        bytes[random(bytes.length)] = random(256);
    return random(3) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
}

function noise() {
    return Buffer.from(Array.from({ length: 1 + random(4000) }, () => random(256)));
}

const filled = (length, head, text, tail) => Buffer.from(`${head}${text.repeat(length / text.length)}${tail}`);
const huge = [
    () => filled(300 * 1024, '{"method":"io.entrainvite.Show","parameters":{"target":"', 'x', '"}}\0'),
    () => filled(250 * 1024, '{"method":"io.entrainvite.Show","parameters":{"target":"', 'x', '"}}\0'),
    () => filled(250 * 1024, '{"method":"', 'io.', '"}\0'),
    () => filled(250 * 1024, '{"method":"io.entrainvite.List","parameters":{"states":["', '\\u0041', '"]}}\0'),
    () => filled(250 * 1024, '', '\0', ''),
];
const nested = [
    () => filled(100 * 1024, '{"method":"io.entrainvite.Status","parameters":', '{"a":', '\0'),
    () => filled(100 * 1024, '{"method":"io.entrainvite.Status","parameters":', '[', '\0'),
    () => filled(250 * 1024, '{"method":"io.entrainvite.List","parameters":{"states":[', '[],', '[]]}}\0'),
    () => filled(250 * 1024, '{"method":"io.entrainvite.List","parameters":{"states":[', '"",', '""]}}\0'),
    () => filled(250 * 1024, '{"method":"io.entrainvite.Status","parameters":{', '"a":1,', '"a":1}}\0'),
];

// ---- how it behaves -------------------------------------------------------------------------------------------------

// Resolves with the connection; a full backlog (EAGAIN) is tried again.
function open() {
    return new Promise((resolve) => {
        const socket = net.connect({ path, allowHalfOpen: true });
        socket.on('error', (error) => {
            if (!held.has(socket) && error.code === 'EAGAIN') {
                saw.refused++;
                setTimeout(() => open().then(resolve), 1);
            }
        });
        socket.on('connect', () => {
            saw.opened++;
            held.add(socket);
            resolve(socket);
        });
        socket.on('end', () => socket.end());
        socket.on('close', () => {
            saw.closed += held.delete(socket) ? 1 : 0;
        });
    });
}

// Answers that come, until there were so many or the connection is over.
function hear(socket, wanted) {
    let text = '';
    let heard = 0;
    return new Promise((resolve) => {
        socket.on('close', () => resolve(heard));
        socket.on('data', (bytes) => {
            text += bytes;
            for (let at; (at = text.indexOf('\0')) >= 0; text = text.slice(at + 1)) {
                const answer = JSON.parse(text.slice(0, at));
                saw[answer.error ? 'errors' : 'answers']++;
                if (++heard === wanted)
                    resolve(heard);
            }
        });
    });
}

// Says it, takes what comes, and is gone: it says no more, so the connection ends.
async function say(bytes) {
    const socket = await open();
    socket.end(bytes);
    await hear(socket, Infinity);
}

const pick = (list) => list[random(list.length)]();
const quiet = (socket) => socket.pause();
const attacks = {
    noise: () => say(noise()),
    damaged: () => say(damaged()),
    huge: () => say(pick(huge)),
    nested: () => say(pick(nested)),
    // Holds a connection without a word.
    idle: async () => quiet(await open()),
    // Half a message, and no more.
    half: async () => {
        const socket = await open();
        quiet(socket);
        socket.write(status.subarray(0, 1 + random(30)));
    },
    // A good call, a byte at a time.
    bytes: async () => {
        const socket = await open();
        const heard = hear(socket, 1);
        socket.setNoDelay(true);
        for (const byte of status) {
            socket.write(Buffer.from([byte]));
            await new Promise(setImmediate);
        }
        saw.wrong += await heard === 1 ? 0 : 1;
        socket.destroy();
    },
    // Asks for much and reads nothing.
    slow: async () => {
        const socket = await open();
        quiet(socket);
        for (let i = 0; i < 20; i++)
            socket.write(call('List', {}));
    },
    // Asks for what takes long, so that its call stays in work.
    waits: async () => {
        const socket = await open();
        socket.write(call('Wait', { target: 'stuck', timeout: 600000 }));
    },
    // A thousand calls at once, all to be answered.
    pipelined: async () => {
        const socket = await open();
        const heard = hear(socket, 1000);
        socket.write(Buffer.concat(Array.from({ length: 1000 }, () => status)));
        saw.wrong += await heard === 1000 ? 0 : 1;
        socket.destroy();
    },
    // Dies in each phase of a call.
    dies: async () => {
        const socket = await open();
        const phase = random(6);
        if (phase > 0)
            socket.write(phase === 1 ? status.subarray(0, 20) : call(...[['Status', {}], ['List', {}],
                ['Wait', { target: 'stuck', timeout: 60000 }, { more: true }],
                ['Refresh', { wait: true }, { oneway: true }]][phase - 2]));
        if (phase === 4)
            await hear(socket, 1);
        else
            await new Promise((resolve) => setTimeout(resolve, random(3)));
        socket.destroy();
    },
};

// ---- life -----------------------------------------------------------------------------------------------------------

async function some(left) {
    while (left.count-- > 0)
        await attacks[attack]();
}

async function run() {
    const left = { count: Number(count) };
    await Promise.all(Array.from({ length: 50 }, () => some(left)));
    console.log('ready');
    await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000));
    console.log(JSON.stringify(saw));
    process.exit(saw.wrong === 0 ? 0 : 1);
}

run();
