'use strict';
// Asks the control socket in a thread of its own, so that a test can do so synchronously without a new process.

const { parentPort, workerData } = require('worker_threads');
const { control } = require('../ctl');

parentPort.on('message', ({ dir, verb, words }) => {
    control(dir, verb, words)
        .catch((error) => ({ status: 500, value: { error: error.message } }))
        .then((answer) => {
            workerData.port.postMessage(answer);
            Atomics.store(workerData.flag, 0, 1);
            Atomics.notify(workerData.flag, 0);
        });
});
