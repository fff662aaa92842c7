'use strict';
// The bodies of requests that the C tests expect a client to send, as they stand there: adjacent string literals, with
// macros between them.

const fs = require('fs');
const path = require('path');

const LITERAL = /"(?:[^"\\\n]|\\.)*"/;
const RUN = new RegExp(`${LITERAL.source}(?:\\s+(?:${LITERAL.source}|[A-Z][A-Z_]*))*`, 'g');
const PIECE = new RegExp(`(${LITERAL.source})|([A-Z][A-Z_]*)`, 'g');
const MACRO = new RegExp(`^#define\\s+([A-Z][A-Z_]*)\\s+(${LITERAL.source})\\s*$`, 'gm');

function macrosOf(texts) {
    return new Map(texts.flatMap((text) => [...text.matchAll(MACRO)]).map(([, name, value]) => [name, value]));
}

/** The escapes that these literals use are JSON's. */
function joined(run, macros) {
    const pieces = [...run.matchAll(PIECE)].map(([, literal, macro]) => literal || macros.get(macro));
    return pieces.includes(undefined) ? null : pieces.map((piece) => JSON.parse(piece)).join('');
}

/** [{file, text}] for each run of literals in the C files of a folder that begins with `start`. */
function recordedBodies(folder, start) {
    const files = fs.readdirSync(folder).filter((name) => /\.[ch]$/.test(name)).sort();
    const sources = files.map((name) => fs.readFileSync(path.join(folder, name), 'utf8'));
    const macros = macrosOf(sources);
    const escaped = JSON.stringify(start).slice(0, -1);
    return sources.flatMap((source, at) => [...source.matchAll(RUN)].filter(([run]) => run.startsWith(escaped))
        .map(([run]) => ({ file: files[at], text: joined(run, macros) })));
}

module.exports = { recordedBodies };
