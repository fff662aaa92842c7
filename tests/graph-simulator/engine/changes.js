'use strict';
// Which users changed, when, and in what, for whoever asks what is new since. Each user is listed once, at its latest
// change, so that the list grows with the users and not with the changes.

const KEPT_MS = 7 * 24 * 3600 * 1000;
const COMPACT_FROM = 1000;

/** Index of the first of the sorted numbers that is greater than value. */
function firstAbove(numbers, value) {
    let low = 0;
    let high = numbers.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (numbers[middle] <= value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

function sameValue(a, b) {
    return a === b || JSON.stringify(a) === JSON.stringify(b);
}

class Changes {
    constructor(clock) {
        this.clock = clock;
        this.last = 0;
        this.stale = 0;
        this.users = [];
        this.numbers = [];
        this.times = [];
    }

    /** Moves the user to the end of the list; returns the number of this change. */
    note(user) {
        if (user.listedAt !== undefined) {
            this.users[user.listedAt] = null;
            this.stale++;
        }
        user.listedAt = this.users.push(user) - 1;
        this.numbers.push(++this.last);
        this.times.push(this.clock.now());
        if (this.stale > COMPACT_FROM && this.stale > this.users.length / 2)
            this.compact();
        return this.last;
    }

    /** Tokens are good for seven days, so a purged user that is older than that is of no use to anyone. */
    compact() {
        const oldest = this.clock.now() - KEPT_MS;
        const kept = [...this.users.keys()].filter((at) => this.users[at] !== null
            && !(this.users[at].removed === 'deleted' && this.times[at] < oldest));
        this.numbers = kept.map((at) => this.numbers[at]);
        this.times = kept.map((at) => this.times[at]);
        this.users = kept.map((at) => this.users[at]);
        this.users.forEach((user, at) => { user.listedAt = at; });
        this.stale = 0;
    }

    /** Created, or back from the deleted ones. */
    appeared(user) {
        user.removed = null;
        user.appearedAt = this.clock.now();
        user.appearedIn = this.note(user);
    }

    /** changes: properties with their new values, before they are applied. The same value again is no change. */
    changed(user, changes) {
        const names = Object.keys(changes).filter((name) => !sameValue(changes[name], user.props[name]));
        if (names.length === 0)
            return;
        const number = this.note(user);
        user.changedIn = user.changedIn || {};
        for (const name of names)
            user.changedIn[name] = number;
    }

    /** reason: "changed", it can be restored, or "deleted", it is gone. */
    removed(user, reason) {
        user.removed = reason;
        user.removedIn = this.note(user);
    }

    /** The number of the latest change that is at least lagMs old; back: so many changes earlier. */
    position(lagMs, back = 0) {
        const at = firstAbove(this.times, this.clock.now() - lagMs) - 1 - back;
        return at >= 0 ? this.numbers[at] : 0;
    }

    /** The users with a change whose number is above this one. */
    since(number) {
        return this.users.slice(firstAbove(this.numbers, number)).filter((user) => user !== null);
    }
}

module.exports = { Changes, KEPT_MS };
