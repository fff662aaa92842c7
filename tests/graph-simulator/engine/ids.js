'use strict';
// Identifiers as a function of a seed and a counter, so that a run can be repeated exactly.

const crypto = require('crypto');

class Ids {
    constructor(seed) {
        this.seed = seed;
        this.counters = new Map();
    }

    digest(kind) {
        const count = (this.counters.get(kind) || 0) + 1;
        this.counters.set(kind, count);
        return crypto.createHash('sha256').update(`${this.seed}\0${kind}\0${count}`).digest();
    }

    guid(kind) {
        const hex = this.digest(kind).toString('hex');
        const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `9${hex.slice(17, 20)}`];
        return [...parts, hex.slice(20, 32)].join('-');
    }

    /** 43 characters of base64url. */
    opaque(kind) {
        return this.digest(kind).toString('base64url');
    }
}

/** A generator of numbers in [0, 1) for faults that act by chance. */
function seededRandom(seed) {
    let state = crypto.createHash('sha256').update(seed).digest().readUInt32LE(0) || 1;
    return () => {
        state ^= state << 13;
        state >>>= 0;
        state ^= state >>> 17;
        state ^= state << 5;
        state >>>= 0;
        return state / 0x100000000;
    };
}

module.exports = { Ids, seededRandom };
