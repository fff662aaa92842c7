'use strict';
// The control verb `seed`: many users of one kind at once, each a function of its number.

const crypto = require('crypto');
const { KINDS, newUser, refuseUnknownKeys } = require('./kinds');

const KEYS = ['count', 'kind', 'domain', 'prefix', 'first', 'set', 'absent', 'enabled'];
const MAX_COUNT = 10000000;

function checkSeed(request) {
    refuseUnknownKeys('seed', request, KEYS);
    const { count, kind, domain, prefix, first } = request;
    const isText = (value) => typeof value === 'string' && /^[\w.-]+$/.test(value);
    const isNumber = (value) => Number.isInteger(value) && value >= 0 && value <= MAX_COUNT;
    if (!isNumber(count) || !isText(domain) || !isText(prefix) || !isNumber(first))
        throw new Error('seed: needs {"count":N,"kind":KIND,"domain":DOMAIN}, may have "prefix":TEXT and "first":N');
    if (!Object.prototype.hasOwnProperty.call(KINDS, kind))
        throw new Error(`seed: no kind '${kind}'; there are: ${Object.keys(KINDS).join(', ')}`);
}

/** Ids of one domain and prefix differ in their last group alone, which is the number in hexadecimal. */
function idStem(domain, prefix) {
    const hash = crypto.createHash('sha256').update(`${prefix}\0${domain}`).digest('hex');
    return `5eed${hash.slice(0, 4)}-${hash.slice(4, 8)}-4${hash.slice(8, 11)}-9${hash.slice(11, 14)}-`;
}

/** PREFIX0@DOMAIN, PREFIX1@DOMAIN and so on, from `first` on. */
function seedUsers(sim, given) {
    const request = { prefix: 'user', first: 0, ...given };
    checkSeed(request);
    const { count, kind, domain, prefix, first } = request;
    const stem = idStem(domain, prefix);
    const id = (n) => stem + n.toString(16).padStart(12, '0');
    if (count > 0 && [first, first + count - 1].some((n) => sim.store.users.withId(id(n))))
        throw new Error('seed: these users are there already; "first" or "prefix" makes others');
    for (let n = first; n < first + count; n++)
        newUser(sim, { ...request, address: `${prefix}${n}@${domain}`, id: id(n) });
    return { added: count };
}

module.exports = { seedUsers };
