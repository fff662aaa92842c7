'use strict';
// What the fault proxy does to one HTTP/1.1 exchange. `how` are the rule's own numbers. An action whose name has
// `before` in it keeps the request from the simulator, so it has no effect; one that has `after` has let it do its
// work. Nothing here claims what a server that did the work never says: 429, 404 and 307 are of requests that went no
// further.

const HTML = '<html><head><title>Our services are not available right now</title></head><body></body></html>';
const ELSEWHERE = ['Location', 'https://127.0.0.3:9/'];
const MANY_MS = 3600 * 1000;

function pause(ms) {
    return new Promise((resolve) => { setTimeout(resolve, ms); });
}

function answerOf(status, body, head = []) {
    const type = body.startsWith('{') ? 'application/json' : 'text/html';
    return { status, head: ['Content-Type', type, 'Content-Length', String(Buffer.byteLength(body)), ...head], body };
}

function errorOf(status, code, head) {
    return answerOf(status, JSON.stringify({ error: { code, message: 'by the proxy' } }), head);
}

/** The answer as it goes over the wire. */
function bytesOf({ status, head, body }) {
    const lines = [`HTTP/1.1 ${status} Whatever`];
    for (let i = 0; i < head.length; i += 2)
        lines.push(`${head[i]}: ${head[i + 1]}`);
    return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(body)]);
}

/** With another body, whose length is told. */
function withBody({ status, head }, body) {
    const kept = [];
    for (let i = 0; i < head.length; i += 2) {
        if (!/^(content-length|transfer-encoding)$/i.test(head[i]))
            kept.push(head[i], head[i + 1]);
    }
    return { status, head: [...kept, 'Content-Length', String(body.length)], body };
}

/** reset: RST · fin: FIN without TLS's farewell · close: in order. */
function end(one, how) {
    if (how === 'close')
        one.socket.end();
    else
        one.line.cutAfter(0, how);
}

/** Returns when it has left, or never will. */
function write(one, bytes) {
    return new Promise((resolve) => {
        if (one.socket.destroyed)
            resolve();
        else
            one.socket.write(bytes, () => setImmediate(resolve));
    });
}

const ACTIONS = {
    'drop-before': (one, how) => end(one, how.end),
    'drop-after': async (one, how) => {
        await one.forward();
        end(one, how.end);
    },
    'delay-before': async (one, how) => {
        await pause(how.ms);
        if (!one.socket.destroyed)
            await one.pass();
    },
    'delay-after': async (one, how) => {
        const answer = await one.forward();
        await pause(how.ms);
        one.answer(answer);
    },
    truncate: async (one, how) => {
        const bytes = bytesOf(await one.forward());
        one.proxy.longest = Math.max(one.proxy.longest || 0, bytes.length);
        await write(one, bytes.subarray(0, how.share === undefined ? how.at : Math.floor(how.share * bytes.length)));
        end(one, how.end);
    },
    // TLS is cut in the middle of a record.
    'record-cut': async (one, how) => {
        const answer = await one.forward();
        one.line.cutAfter(how.after, how.end);
        one.answer(answer);
    },
    'answer-twice': async (one) => {
        const answer = await one.forward();
        one.answer(answer);
        one.socket.write(bytesOf(answer));
    },
    // What HTTP lets a proxy do: only a read.
    'read-twice': async (one) => {
        if (one.isRead)
            await one.forward();
        await one.pass();
    },
    slow: async (one, how) => {
        const bytes = bytesOf(await one.forward());
        for (let at = 0; at < bytes.length && !one.socket.destroyed; at += how.bytes) {
            await write(one, bytes.subarray(at, at + how.bytes));
            await pause(how.everyMs);
        }
        one.socket.end();
    },
    'throttle-before': (one, how) => {
        const value = how.dateMs === undefined ? how.retryAfter : new Date(Date.now() + how.dateMs).toUTCString();
        one.answer(errorOf(429, 'TooManyRequests', value === undefined ? [] : ['Retry-After', value]));
    },
    'error-before': (one, how) => one.answer(answerOf(how.status, HTML)),
    'error-after': async (one, how) => {
        await one.forward();
        one.answer(answerOf(how.status, HTML));
    },
    // An earlier answer to the same question, for a while.
    stale: async (one, how) => {
        const kept = one.proxy.answers.get(one.request.url);
        if (kept && Date.now() - kept.at < (how.ms || MANY_MS))
            one.answer(kept.answer);
        else
            await one.pass();
    },
    'late-404-before': async (one) => {
        if (one.isRead)
            one.answer(errorOf(404, 'Request_ResourceNotFound'));
        else
            await one.pass();
    },
    'huge-after': async (one, how) => {
        const answer = await one.forward();
        one.answer(withBody(answer, Buffer.concat([Buffer.alloc(how.bytes || 10 * 1024 * 1024, ' '), answer.body])));
    },
    'deep-after': async (one, how) => {
        const deep = how.levels || 100000;
        const text = how.closed ? '['.repeat(deep) + ']'.repeat(deep) : '{"value":'.repeat(deep);
        one.answer(withBody(await one.forward(), Buffer.from(text)));
    },
    'page-after': async (one) => {
        await one.forward();
        one.answer(answerOf(200, HTML));
    },
    // 307 says that it is to be asked elsewhere; 302 and 303 may say that it is done.
    'redirect-before': (one) => one.answer(answerOf(307, HTML, ELSEWHERE)),
    'redirect-after': async (one, how) => {
        await one.forward();
        one.answer(answerOf(how.status, HTML, ELSEWHERE));
    },
    // The worker dies: with the request unread, with its effect done, with the answer on its way.
    'kill-before': (one) => one.proxy.kill(),
    'kill-after': async (one) => {
        await one.forward();
        one.proxy.kill();
    },
    'kill-answered': async (one, how) => {
        await one.pass();
        await pause(how.ms);
        one.proxy.kill();
    },
    'interim-after': async (one) => {
        const answer = await one.forward();
        one.socket.write('HTTP/1.1 103 Early Hints\r\nRetry-After: 3000\r\n\r\n');
        one.answer(answer);
    },
};

module.exports = { ACTIONS };
