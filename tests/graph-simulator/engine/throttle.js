'use strict';
// The directory's write limit as a token bucket (contract 6), if the setting writeLimit asks for one.

const { GraphError } = require('../graph/answers');

class Throttle {
    constructor(sim) {
        this.sim = sim;
        this.limit = null;
    }

    /** Takes one write from the bucket or throws 429 with a decimal Retry-After. */
    takeWrite() {
        const limit = this.sim.settings.writeLimit;
        if (!limit)
            return;
        const now = this.sim.clock.now();
        if (this.limit !== limit)
            Object.assign(this, { limit, level: limit.writes, filledAt: now });
        const perMs = limit.writes / (limit.seconds * 1000);
        this.level = Math.min(limit.writes, this.level + (now - this.filledAt) * perMs);
        this.filledAt = now;
        if (this.level < 1) {
            const seconds = ((1 - this.level) / perMs / 1000).toFixed(3);
            throw new GraphError(429, 'TooManyRequests', 'Please retry again later.', { 'retry-after': seconds });
        }
        this.level -= 1;
    }
}

module.exports = { Throttle };
