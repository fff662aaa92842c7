'use strict';
// Compares what the worker says with what the simulator counted: check-ledger.js SIMULATOR-DIR EXPECTED, with the
// output of `entra-invite list --json` on stdin. EXPECTED is JSON, see invariants.js. Prints one line for each broken
// promise, nothing if there is none.

const fs = require('fs');
const { control } = require('../graph-simulator/ctl');
const { ledgerProblems } = require('./invariants');

async function main(dir, expected) {
    const accounts = JSON.parse(fs.readFileSync(0, 'utf8'));
    const { status, value } = await control(dir, 'ledger', []);
    if (status !== 200)
        throw new Error(`the ledger: ${value.error}`);
    for (const problem of ledgerProblems(accounts, value, JSON.parse(expected)))
        console.log(problem);
}

main(...process.argv.slice(2)).catch((error) => {
    console.log(`can't be checked: ${error.message}`);
    process.exitCode = 1;
});
