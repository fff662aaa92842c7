'use strict';
// All tests of the simulator in one program: node --test tests/graph-simulator/selftest.js

const SUBJECTS = ['login', 'assertion', 'identity', 'person', 'invitations', 'sponsors', 'users', 'offboarding', 'groups', 'seed',
    'delta', 'batch', 'faults', 'batch-faults', 'control', 'bounds', 'schema', 'openapi'];

for (const name of SUBJECTS)
    require(`./selftest/test-${name}.js`);
