'use strict';
// Explores a design of model.js exhaustively, with up to so many faults at any places, and says which promise breaks
// and by what course of events. As a program: model-check.js [FAULTS] explores the design that is built, which must
// break none, and those that the rules reject, which must break theirs; one line a case.

const model = require('./model');

const FAULTS = 6;
const MAILS_ASKED = 2; // by the invitation, and by one resend

// ---- the world: what stands there durably, the service, and what is under way --------------------------------------

/** before: nobody, pending or accepted: who had the address before us. */
function beginning(before) {
    return {
        job: model.QUEUED, spent: false, flight: null,
        guest: before !== 'nobody', accepted: before === 'accepted', before,
        mails: 0, links: 0, faults: 0, asked: 1,
    };
}

const key = (world) => JSON.stringify(world);

function follow(world, [, to, send]) {
    const job = { ...world.job, ...to };
    return {
        ...world, job, spent: world.spent || (send === model.MAIL && job.mail === 'sending'),
        flight: send ? { request: send, answer: null } : null,
    };
}

/** What the service makes of a request: its effect, and what it answers. */
function served(world, stale) {
    const { request } = world.flight;
    const next = { ...world };
    let answer = 'done';
    if (request === model.LOOK || request === model.SEE)
        answer = stale || !world.guest ? 'nobody' : world.accepted ? 'accepted' : 'pending';
    else
        Object.assign(next, { guest: true, links: 1, mails: world.mails + (request === model.MAIL ? 1 : 0) });
    return { ...next, flight: { request, answer } };
}

function ended(world, answer) {
    return { ...world, flight: { ...world.flight, answer } };
}

function fault(world) {
    return { ...world, faults: world.faults + 1 };
}

/** What can happen next: [name, world, edge of the job or null]. Edges lead from one durable state to another. */
function steps(design, world, mostFaults) {
    const { flight, job } = world;
    const found = [];
    const may = world.faults < mostFaults;
    if (flight === null) {
        for (const edge of (design.due[job.step] || (() => []))(job, world))
            found.push([edge[0] || `${edge[2]} again`, follow(world, edge), edge]);
    } else if (flight.answer === null) {
        found.push([`${flight.request} is served`, served(world, false), null]);
    } else {
        for (const edge of design.answer[flight.request][flight.answer](job))
            found.push([`${flight.request}: ${flight.answer}`, follow(world, edge), edge]);
    }
    if (design.isFinal(job) && job.step === 'pending' && world.links > 0 && !world.accepted && flight === null)
        found.push(['the partner accepts', { ...world, accepted: true }, null]);
    if (flight === null && world.asked < MAILS_ASKED) {
        for (const edge of design.resend(job))
            found.push([edge[0], { ...follow(world, edge), spent: false, asked: world.asked + 1 }, edge]);
    }
    if (!may)
        return found;
    found.push(['the process dies', { ...fault(world), flight: null }, null]);
    if (flight !== null && flight.answer === null) {
        const { request } = flight;
        found.push([`${request} is lost on its way`, ended(fault(world), 'unclear'), null]);
        found.push([`${request} is not sent, or throttled`, ended(fault(world), 'rejected'), null]);
        found.push([`the answer to ${request} is lost`, ended(served(fault(world), false), 'unclear'), null]);
        if (request === model.LOOK || request === model.SEE)
            found.push([`${request} meets a directory that is behind`, served(fault(world), true), null]);
    }
    return found;
}

// ---- what is promised ----------------------------------------------------------------------------------------------

const PROMISES = [
    ['at most one mail', ({ mails, asked }) => mails <= asked],
    ['a mail that is said to be sent was', ({ job, mails }) => job.mail !== 'sent' || mails >= 1],
    ['the link is not lost', ({ job, flight }, design) => flight !== null || !design.isFinal(job) ||
        job.step === 'accepted' || job.link],
    ['a guest on record is one', ({ job, guest }) => !job.guest || guest],
    ['what is unknown was cut off', ({ job, faults }) => job.mail !== 'unknown' || faults > 0],
    ['without a fault, the mail is sent', (world, design) => !atRest(world, design) || world.before !== 'nobody' ||
        world.job.step === 'accepted' || (world.job.mail === 'sent' && world.mails === world.asked)],
    ['without a fault, who was a guest before is not mailed', (world, design) => !atRest(world, design) ||
        world.before === 'nobody' || world.mails === 0],
];

/** Nothing went wrong, and nothing more is to come but the partner. */
function atRest({ job, faults, flight }, design) {
    return faults === 0 && flight === null && design.isFinal(job);
}

function standing(job) {
    if (job === null)
        return '-';
    const marks = [['g', 'guest'], ['l', 'link'], ['o', 'open'], ['a', 'lost']];
    return `${job.step},${job.mail},${marks.map(([letter, member]) => (job[member] ? letter : '')).join('')}`;
}

class Exploration {
    constructor(design, mostFaults) {
        Object.assign(this, { design, mostFaults, moves: 0 });
        this.worlds = new Map(); // all that were reached, and from where
        this.broken = new Map(); // promises, and how it came to it
        this.transitions = new Set();
        for (const before of ['nobody', 'pending', 'accepted'])
            this.reach(beginning(before), null, 'begins');
        for (const [id, entry] of this.worlds) // a Map goes on to what is added meanwhile
            this.explore(id, entry);
        this.findStuck();
    }

    reach(world, from, name) {
        const id = key(world);
        if (!this.worlds.has(id)) {
            this.worlds.set(id, { world, from, name, freeTo: [] });
            for (const [promise, holds] of PROMISES) {
                if (!this.broken.has(promise) && !holds(world, this.design))
                    this.broken.set(promise, this.course(id));
            }
        }
        return id;
    }

    explore(id, { world, freeTo }) {
        for (const [name, next, edge] of steps(this.design, world, this.mostFaults)) {
            this.moves++;
            const to = this.reach(next, id, name);
            if (next.faults === world.faults)
                freeTo.push(to);
            if (edge && edge[0] !== null)
                this.transitions.add(`${edge[0]} ${standing(world.job)} ${standing(next.job)}`);
        }
    }

    /** Never stuck: from everywhere, without one more fault, there is a way to an end. */
    findStuck() {
        const back = new Map();
        for (const [id, { freeTo }] of this.worlds)
            for (const to of freeTo)
                back.set(to, [...(back.get(to) || []), id]);
        const isGood = (id) => this.design.isFinal(this.worlds.get(id).world.job);
        const seen = new Set([...this.worlds.keys()].filter(isGood));
        for (const id of seen)
            for (const from of back.get(id) || [])
                seen.add(from);
        const stuck = [...this.worlds.keys()].find((id) => !seen.has(id));
        if (stuck)
            this.broken.set('never stuck', this.course(stuck));
    }

    /** How it came to this. */
    course(id) {
        const names = [];
        for (let at = id; at; at = this.worlds.get(at).from)
            names.unshift(this.worlds.get(at).name);
        return names.join('; ');
    }
}

function explore(design, mostFaults = FAULTS) {
    return new Exploration(design, mostFaults);
}

// ---- as a program --------------------------------------------------------------------------------------------------

function report(name, isRight, detail) {
    console.log(`${isRight ? 'ok' : 'not ok'} - ${name}`);
    if (detail)
        console.log(`# ${detail}`);
    if (!isRight)
        process.exitCode = 1;
}

function main(mostFaults) {
    const right = explore(model.built, mostFaults);
    report(`${model.built.name}: no promise breaks with up to ${mostFaults} faults`, right.broken.size === 0,
        [...right.broken].map(([promise, course]) => `${promise}: ${course}`).join(' | '));
    console.log(`# ${right.worlds.size} states, ${right.moves} edges; ${right.transitions.size} transitions of a job`);
    const wrong = [
        [model.careless, ['at most one mail']],
        [model.lookedUp, ['at most one mail', 'the link is not lost']],
        ...model.spoiled,
    ];
    for (const [design, promises] of wrong) {
        const { broken } = explore(design, mostFaults);
        for (const promise of promises)
            report(`found in ${design.name}: breaks "${promise}"`, broken.has(promise), broken.get(promise));
    }
}

if (require.main === module)
    main(Number(process.argv[2] || FAULTS));

module.exports = { explore, standing };
