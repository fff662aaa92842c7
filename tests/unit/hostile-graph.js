'use strict';
// A Graph (and a login service) that means harm, for test_graph_hostile.c and test_graph_hostile_json.c: what the simulator, which speaks HTTP as it
// should, cannot say. HTTP/1.1 over TLS, written by hand.
//
//     node hostile-graph.js DIR      DIR holds server.key, server.pem
//
// Writes DIR/hostile.ports once it listens: `GRAPH ELSEWHERE PLAIN`. GRAPH answers each request as DIR/attack says, read
// anew each time: a JSON object of
//     status, head (lines), body (each character a byte)
//     many: N header lines more     long: a header line of N bytes     cookies: N of Set-Cookie
//     bomb: gzip, deflate or br     what 64 MB of blanks before the body come as
//     pad: N blanks in the body     length: what Content-Length says, in place of the truth
//     endless: head or body         until the client has enough
//     chain: true                   a page of nothing, whose nextLink is always another one
// In head and body %SELF%, %ELSEWHERE% and %PLAIN% stand for the URLs of the three. ELSEWHERE (TLS) and PLAIN (http) are
// other hosts, where nothing must ever arrive. DIR/seen gets a line for each request (`graph`, method, path, cookies) and
// for each connection elsewhere.

const fs = require('fs');
const net = require('net');
const tls = require('tls');
const zlib = require('zlib');

const [dir] = process.argv.slice(2);
const pair = { key: fs.readFileSync(`${dir}/server.key`), cert: fs.readFileSync(`${dir}/server.pem`) };
const note = (line) => fs.appendFileSync(`${dir}/seen`, `${line}\n`);
const roots = {};
const bombs = {
    gzip: zlib.gzipSync,
    deflate: zlib.deflateSync,
    br: (bytes) => zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }),
};
const made = {};
let page = 0;

const fill = (text) => text.replace(/%(SELF|ELSEWHERE|PLAIN)%/g, (all, name) => roots[name]);

function bomb(how, body) {
    made[how] ??= bombs[how](Buffer.concat([Buffer.alloc(64 * 1024 * 1024, ' '), Buffer.from(body)]));
    return made[how];
}

function bodyOf(attack) {
    if (attack.chain)
        return Buffer.from(`{"value":[],"@odata.nextLink":"${roots.SELF}/v1.0/users?$skiptoken=${++page}"}`);
    if (attack.bomb)
        return bomb(attack.bomb, attack.body ?? '{"value":[]}');
    return Buffer.concat([Buffer.alloc(attack.pad ?? 0, ' '), Buffer.from(fill(attack.body ?? ''), 'latin1')]);
}

function headOf(attack, body) {
    const lines = [`HTTP/1.1 ${attack.status ?? 200} As It Is`, 'Content-Type: application/json',
        `Content-Length: ${attack.length ?? body.length}`, ...(attack.head ?? []).map(fill)];
    if (attack.bomb)
        lines.push(`Content-Encoding: ${attack.bomb}`);
    for (let i = 0; i < (attack.many ?? 0); i++)
        lines.push(`X-Filler-${i}: ${i}`);
    for (let i = 0; i < (attack.cookies ?? 0); i++)
        lines.push(`Set-Cookie: crumb${i}=hostile; Path=/; Secure`);
    if (attack.long)
        lines.push(`X-Long: ${'x'.repeat(attack.long)}`);
    return `${lines.join('\r\n')}\r\n\r\n`;
}

function pour(socket, head, chunk) {
    const more = () => {
        while (!socket.destroyed && socket.write(chunk));
    };
    socket.write(head);
    socket.on('drain', more);
    more();
}

function answer(socket) {
    const attack = JSON.parse(fs.readFileSync(`${dir}/attack`, 'utf8'));
    if (attack.endless === 'head')
        return pour(socket, 'HTTP/1.1 200 OK\r\n', 'X-Endless: and on\r\n'.repeat(100));
    if (attack.endless === 'body')
        return pour(socket, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', `400\r\n${' '.repeat(1024)}\r\n`);
    const body = bodyOf(attack);
    socket.write(Buffer.concat([Buffer.from(headOf(attack, body), 'latin1'), body]));
    if (attack.length !== undefined)
        socket.end();
}

function serve(socket) {
    let text = '';
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
        text += bytes.toString('latin1');
        for (let end; (end = text.indexOf('\r\n\r\n')) >= 0;) {
            const head = text.slice(0, end);
            const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
            if (text.length < end + 4 + length)
                return;
            text = text.slice(end + 4 + length);
            const [method, path] = head.split(' ');
            note(`graph ${method} ${path} ${/^cookie:.*/im.exec(head)?.[0] ?? '-'}`);
            answer(socket);
        }
    });
}

const elsewhere = (socket) => {
    note('elsewhere');
    socket.on('error', () => {});
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
};
const servers = [tls.createServer(pair, serve), net.createServer(elsewhere), net.createServer(elsewhere)];
Promise.all(servers.map((server) => new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
}))).then(([graph, other, plain]) => {
    roots.SELF = `https://localhost:${graph}`;
    roots.ELSEWHERE = `https://localhost:${other}`;
    roots.PLAIN = `http://localhost:${plain}`;
    fs.writeFileSync(`${dir}/hostile.new`, `${graph} ${other} ${plain}\n`);
    fs.renameSync(`${dir}/hostile.new`, `${dir}/hostile.ports`);
});
