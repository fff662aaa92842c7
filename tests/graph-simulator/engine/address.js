'use strict';
// How addresses are compared: ASCII case does not count, everything else does.

function fold(text) {
    return String(text).replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function domainOf(address) {
    return fold(address.slice(address.lastIndexOf('@') + 1));
}

module.exports = { fold, domainOf };
