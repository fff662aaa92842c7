'use strict';
// Bounds what many lists hold together: the oldest items go, whichever list they are in.

const SHARE = 10;

class Kept {
    /** At most limit items, give or take a tenth: what goes goes in one sweep. */
    constructor(limit) {
        this.limit = limit;
        this.lists = [];
    }

    push(list, item) {
        list.push(item);
        this.lists.push(list);
        if (this.lists.length > this.limit)
            this.sweep(Math.ceil(this.limit / SHARE));
    }

    sweep(count) {
        const each = new Map();
        for (const list of this.lists.splice(0, count))
            each.set(list, (each.get(list) || 0) + 1);
        for (const [list, dropped] of each)
            list.splice(0, dropped);
    }

    clear() {
        this.lists = [];
    }
}

module.exports = { Kept };
