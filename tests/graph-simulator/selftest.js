'use strict';
// All tests of the simulator in one program: node --test tests/graph-simulator/selftest.js

for (const name of ['login', 'invitations', 'users', 'offboarding', 'faults', 'control'])
    require(`./selftest/test-${name}.js`);
