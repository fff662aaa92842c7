'use strict';
// Transitions of real runs are edges of the model (X16). As a program: transitions.js FILE... takes what the test build
// wrote (plugin/worker/transition.h), prints a line for each kind of transition that is no edge, and then how many were
// seen of how many edges there are.

const fs = require('fs');
const { explore } = require('./model-check');
const { built } = require('./model');

// How a job comes into the world: found by the scan, announced, asked for.
const ARRIVALS = ['linked', 'queued', 'invite'];

class Coverage {
    constructor() {
        const { transitions } = explore(built);
        this.words = new Set([...transitions].map((edge) => edge.split(' ')[0]));
        this.edges = new Set([...transitions, ...ARRIVALS.map((event) => `${event} - queued,none,`)]);
        this.seen = new Map();
    }

    /** Of lines EVENT BEFORE AFTER those that are no edge, each once. What the model has no word for may happen where
     *  it changes nothing. */
    take(text) {
        const strange = new Set();
        for (const line of text.split('\n').filter((one) => one !== '')) {
            const [event, before, after] = line.split(' ');
            if (this.edges.has(line))
                this.seen.set(line, (this.seen.get(line) || 0) + 1);
            else if (this.words.has(event) || before !== after)
                strange.add(line);
        }
        return [...strange];
    }

    unseen() {
        return [...this.edges].filter((edge) => !this.seen.has(edge));
    }

    toString() {
        const total = [...this.seen.values()].reduce((sum, one) => sum + one, 0);
        return `${total} transitions, ${this.seen.size} of the model's ${this.edges.size}`;
    }
}

function main(files) {
    const coverage = new Coverage();
    for (const file of files) {
        for (const line of coverage.take(fs.readFileSync(file, 'utf8'))) {
            console.log(`no edge of the model: ${line}`);
            process.exitCode = 1;
        }
    }
    console.log(`# ${coverage}`);
}

if (require.main === module)
    main(process.argv.slice(2));

module.exports = { Coverage };
