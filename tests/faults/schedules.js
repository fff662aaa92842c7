'use strict';
// Random schedules: faults of the wire, faults of the service and SIGKILLs together, and afterwards the ledger is right
// and each transition an edge of the model. schedules.js FIRST-SEED COUNT SECONDS: so many schedules, each with the next
// seed; fewer where the seconds are over (0: however long it takes). A seed repeats its schedule: what is drawn is the
// same, what the machine makes of it is so nearly.

const fs = require('fs');
const { draw } = require('./draw');
const { Host, pause } = require('./host');
const { ledgerProblems } = require('./invariants');
const { isSettled } = require('./settled');
const { Coverage } = require('./transitions');

const TELL = 500; // schedules, after which it says how far it is
const SETTLE_MS = 60000; // a hold of ten seconds may come twice

class Run {
    constructor(host, schedule) {
        Object.assign(this, { host, schedule, problems: [], kills: 0, over: false });
        this.deaths = Promise.resolve();
    }

    /** Dies, and is started again; one after the other, whoever asks for it. */
    die() {
        if (this.over)
            return;
        this.deaths = this.deaths.then(async () => {
            if (this.over)
                return;
            this.kills++;
            this.wasKilled(await this.host.kill());
            this.host.launch();
        });
    }

    wasKilled(how) {
        if (how !== null && how !== 'SIGKILL')
            this.problems.push(`the worker ended by itself: ${how}`);
    }

    async prepare() {
        const { host, schedule } = this;
        await host.begin(schedule.accounts);
        for (const [name, value] of Object.entries(schedule.simulator.settings))
            await host.tell('set', name, JSON.stringify(value));
        await host.tell('fault', JSON.stringify(schedule.simulator.faults));
        host.proxy.play(schedule.rules, { http2: schedule.http2 });
        host.proxy.kill = () => this.die();
    }

    /** Timed kills, and a worker that is pushed or left to itself. */
    async chaos() {
        const { host, schedule } = this;
        const timers = schedule.kills.map((ms) => setTimeout(() => this.die(), ms));
        const refresh = setInterval(() => host.call('Refresh'), schedule.refreshMs);
        host.launch();
        await pause(schedule.chaosMs);
        timers.forEach(clearTimeout);
        clearInterval(refresh);
    }

    /** What is left of the faults still happens; they are used up some time. */
    async judge() {
        const { host, schedule } = this;
        const accounts = await host.until(schedule.accounts, isSettled, SETTLE_MS);
        this.over = true;
        await this.deaths;
        this.wasKilled(await host.kill());
        const count = { accounts: schedule.accounts, addresses: schedule.accounts };
        this.problems.push(...ledgerProblems(accounts, await host.tell('ledger'), count));
        this.unknown = accounts.filter(({ mail }) => mail === 'unknown').length;
    }
}

function say(line) {
    process.stdout.write(`${line}\n`);
}

class Tally {
    constructor() {
        Object.assign(this, { runs: 0, failed: 0, kills: 0, accounts: 0, unknown: 0, coverage: new Coverage() });
    }

    take(run, transitions) {
        this.runs++;
        this.kills += run.kills;
        this.accounts += run.schedule.accounts;
        this.unknown += run.unknown || 0;
        for (const line of this.coverage.take(transitions))
            run.problems.push(`no edge of the model: ${line}`);
        if (run.problems.length === 0)
            return;
        this.failed++;
        say(`not ok - seed ${run.schedule.seed}: the ledger is right, and the model has every transition`);
        for (const problem of run.problems.slice(0, 12))
            say(`#   ${problem}`);
        say(`#   repeat it: SEED=${run.schedule.seed} SCHEDULES=1 tests/faults/run test-proxy-random.sh`);
    }

    report(proxy, seed) {
        say(`# seed ${seed}: ${this.runs} schedules, ${this.accounts} accounts, ${this.kills} kills, `
            + `${this.unknown} mails unknown`);
        const faults = [...proxy.acted].sort().map(([action, count]) => `${action} ${count}`);
        say(`# faults of the proxy: ${faults.join(', ')}`);
        say(`# ${this.coverage}`);
        if (process.env.LAB_UNSEEN)
            this.coverage.unseen().forEach((edge) => say(`# not seen: ${edge}`));
    }
}

async function main(seed, count, seconds) {
    const host = new Host(JSON.parse(process.env.EI_HOST));
    await host.open();
    const tally = new Tally();
    const end = seconds ? Date.now() + seconds * 1000 : Infinity;
    for (let i = 0; i < count && Date.now() < end; i++) {
        const run = new Run(host, draw(seed + i));
        fs.writeSync(host.log, `==== seed ${seed + i}\n`);
        await run.prepare();
        await run.chaos();
        await run.judge();
        tally.take(run, host.recorded());
        if ((i + 1) % TELL === 0)
            tally.report(host.proxy, seed);
    }
    tally.report(host.proxy, seed);
    if (tally.failed === 0)
        say(`ok - ${tally.runs} schedules from seed ${seed}: the ledger is right, and the model has every transition`);
    process.exit(0);
}

const [seed, count, seconds] = process.argv.slice(2).map(Number);
main(seed, count, seconds).catch((error) => {
    say(`not ok - the schedules run to their end\n#   ${error.stack}`);
    process.exit(1);
});
