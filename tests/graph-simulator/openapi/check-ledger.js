'use strict';
// Checks what a client sent against the description of Graph's API:
//
//     ctl DIR ledger | node check-ledger.js ['METHOD /path/{of}/undescribed']...
//
// Prints a line for each thing that is wrong, then one for each operation that was sent, with how often. A request that
// no operation describes is wrong, unless it is one of the arguments. Exit: 0 all right, 1 not, 2 wrong usage,
// 77 the description is not there.

const fs = require('fs');
const { readDescription, MISSING } = require('./description');

const ROOT = '/v1.0';

/** A ledger tells a query decoded; only an option's name begins with a dollar. */
function optionsOf(text) {
    const pairs = text === '' ? [] : text.split(/&(?=\$)/);
    return new Map(pairs.map((pair) => [pair.split('=', 1)[0], pair.slice(pair.indexOf('=') + 1)]));
}

function templated(pathUnderRoot, template) {
    const [own, parts] = [pathUnderRoot.split('/'), template.split('/')];
    return own.length === parts.length && parts.every((part, at) => part.startsWith('{') || part === own[at]);
}

function checkAll(description, requests, undescribed) {
    const wrong = [];
    const sent = new Map();
    for (const record of requests) {
        if (!record.path.startsWith(`${ROOT}/`))
            continue;
        const pathUnderRoot = record.path.slice(ROOT.length);
        const found = description.operation(record.method, pathUnderRoot);
        const known = undescribed.find((entry) => {
            const [method, template] = entry.split(' ');
            return method === record.method && templated(pathUnderRoot, template);
        });
        const name = found ? `${record.method} ${found.template}` : known;
        if (name !== undefined)
            sent.set(name, (sent.get(name) || 0) + 1);
        if (found || !known)
            wrong.push(...description.checkRequest({ method: record.method, path: pathUnderRoot,
                query: optionsOf(record.query), body: record.body }).map((text) => `request ${record.n}: ${text}`));
    }
    return { wrong, sent };
}

function main(undescribed) {
    const description = readDescription();
    if (!description) {
        process.stderr.write(`${MISSING}\n`);
        return 77;
    }
    let ledger;
    try {
        ledger = JSON.parse(fs.readFileSync(0, 'utf8'));
    } catch (error) {
        process.stderr.write(`stdin is no ledger: ${error.message}\n`);
        return 2;
    }
    const { wrong, sent } = checkAll(description, ledger.requests, undescribed);
    wrong.forEach((text) => console.log(`wrong: ${text}`));
    [...sent].sort().forEach(([name, count]) => console.log(`sent: ${name}: ${count}`));
    return wrong.length > 0 ? 1 : 0;
}

if (require.main === module)
    process.exitCode = main(process.argv.slice(2));

module.exports = { checkAll };
