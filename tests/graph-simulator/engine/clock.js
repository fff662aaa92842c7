'use strict';
// The simulator's clock: the host's, plus what a test has advanced it by.

class Clock {
    constructor() {
        this.offsetMs = 0;
    }

    now() {
        return Date.now() + this.offsetMs;
    }

    advance(seconds) {
        this.offsetMs += seconds * 1000;
    }

    reset() {
        this.offsetMs = 0;
    }

    /** "2026-01-06T08:09:10Z", as Graph writes an Edm.DateTimeOffset. */
    graphTime(ms = this.now()) {
        return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
    }
}

module.exports = { Clock };
