'use strict';
// Identifiers as a function of a seed and a counter, so that a run can be repeated exactly.

const crypto = require('crypto');

const WORDS = 8;
// Odd, so that multiplying by it maps no two counters to one number.
const STEP = 0x9e3779b1;
const DIGITS = Buffer.from('0123456789abcdef');

/** Spreads every bit over all others; no two numbers give the same. */
function mix(number) {
    let word = number ^ (number >>> 16);
    word = Math.imul(word, 0x85ebca6b);
    word ^= word >>> 13;
    word = Math.imul(word, 0xc2b2ae35);
    return (word ^ (word >>> 16)) >>> 0;
}

/** One kind of identifiers. A hash for each would be a tenth of all the work of an invitation. */
class Sequence {
    constructor(name) {
        this.count = 0;
        this.base = new Uint32Array(new Uint8Array(crypto.createHash('sha256').update(name).digest()).buffer);
        this.words = new Uint32Array(WORDS);
        this.bytes = Buffer.from(this.words.buffer);
    }

    /** 32 bytes, valid until the next call. The first word alone is another one for each of 2^32 calls. */
    next() {
        const count = ++this.count;
        let word = 0;
        for (let i = 0; i < WORDS; i++) {
            word = mix((this.base[i] + Math.imul(count, STEP) + word) >>> 0);
            this.words[i] = word;
        }
        return this.bytes;
    }
}

class Ids {
    constructor(seed) {
        this.seed = seed;
        this.text = Buffer.alloc(36);
        this.reset();
    }

    reset() {
        this.sequences = new Map();
    }

    next(kind) {
        if (!this.sequences.has(kind))
            this.sequences.set(kind, new Sequence(`${this.seed}\0${kind}`));
        return this.sequences.get(kind).next();
    }

    /** Written into one buffer: a text of joined pieces would be kept as pieces. */
    guid(kind) {
        const bytes = this.next(kind);
        let at = 0;
        for (let i = 0; i < 16; i++) {
            if (i === 4 || i === 6 || i === 8 || i === 10)
                this.text[at++] = 0x2d;
            this.text[at++] = i === 6 ? 0x34 : i === 8 ? 0x39 : DIGITS[bytes[i] >> 4];
            this.text[at++] = DIGITS[bytes[i] & 15];
        }
        return this.text.latin1Slice(0, at);
    }

    /** 43 characters of base64url. */
    opaque(kind) {
        return this.next(kind).toString('base64url');
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
