'use strict';
// Where in a process's memory some texts are, as root sees it:
//
//     node memory-grep.js PID NEEDLES      NEEDLES: a file of lines `NAME TEXT`
//     node memory-grep.js PID --token      the first access token (a JWT) that is there
//
// Prints `NAME COUNT WHERE…` for each, WHERE being the mappings that hold it. Only what may be written to is read: the rest
// is files.

const fs = require('fs');

const [pid, file] = process.argv.slice(2);
const wantsToken = file === '--token';
const needles = wantsToken ? [] : fs.readFileSync(file, 'latin1').split('\n').filter(Boolean).map((line) => {
    const at = line.indexOf(' ');
    return { name: line.slice(0, at), bytes: Buffer.from(line.slice(at + 1), 'latin1'), count: 0, where: new Set() };
});
const memory = fs.openSync(`/proc/${pid}/mem`, 'r');

function read(start, end) {
    const bytes = Buffer.alloc(Number(end - start));
    try {
        let done = 0;
        for (let got; done < bytes.length; done += got) {
            got = fs.readSync(memory, bytes, done, bytes.length - done, start + BigInt(done));
            if (got === 0)
                break;
        }
    } catch (error) {
        if (error.code !== 'EIO' && error.code !== 'EFAULT')
            throw error;
    }
    return bytes;
}

for (const line of fs.readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const [, start, end, mode, name] = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)$/.exec(line) ?? [];
    if (!mode?.startsWith('rw') || name.startsWith('[vv'))
        continue;
    const bytes = read(BigInt(`0x${start}`), BigInt(`0x${end}`));
    const token = wantsToken && /eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+/.exec(bytes.toString('latin1'));
    if (token) {
        console.log(token[0]);
        break;
    }
    for (const needle of needles)
        for (let at = -1; (at = bytes.indexOf(needle.bytes, at + 1)) >= 0; needle.count++)
            needle.where.add(`${name || 'anonymous'}+${at.toString(16)}`);
}
for (const { name, count, where } of needles)
    console.log(`${name} ${count} ${[...where].slice(0, 8).join(' ')}`);
