'use strict';
// The log file: lines are written together, before anyone who waits for what they tell can be answered.

const fs = require('fs');

class Log {
    constructor(file) {
        this.descriptor = fs.openSync(file, 'a', 0o600);
        this.lines = [];
        process.once('exit', () => this.flush());
    }

    write(line) {
        if (this.lines.push(line) === 1)
            setImmediate(() => this.flush());
    }

    flush() {
        if (this.lines.length > 0)
            fs.writeSync(this.descriptor, this.lines.join(''));
        this.lines = [];
    }
}

module.exports = { Log };
