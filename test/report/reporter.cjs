// Mocha reporter: a line for each test as it ends, and at the end the counts as JSON in the file that MESH_TEST_REPORT names.
'use strict';
const { writeFileSync } = require('node:fs');
const process = require('node:process');

class Reporter {
  constructor(runner) {
    const report = { passed: 0, failed: 0, failures: [], finished: false };
    const path = (test) => test.titlePath().join(' › ');
    const print = (text) => console.log(text);
    const fail = (test, error) => {
      report.failed += 1;
      const text = (error && (error.stack || error.message)) || String(error);
      report.failures.push({ title: path(test), text: text.slice(0, 4000) });
      print(`  FAILED ${path(test)}\n${text.replace(/^/gm, '         ')}`);
    };
    let suite = '';
    runner.on('suite', (entry) => {
      const title = entry.titlePath().join(' › ');
      if (title && entry.tests.length > 0 && title !== suite) print(`  ${(suite = title)}`);
    });
    runner.on('pass', (test) => {
      report.passed += 1;
      print(`    ok ${test.title}${test.duration > 200 ? ` (${(test.duration / 1000).toFixed(1)} s)` : ''}`);
    });
    runner.on('fail', fail);
    // What the project needs must be there: a skipped test is a failed one.
    runner.on('pending', (test) => fail(test, new Error('skipped: a missing part fails, it is never skipped')));
    const write = () => {
      if (process.env.MESH_TEST_REPORT) writeFileSync(process.env.MESH_TEST_REPORT, JSON.stringify(report));
    };
    write();
    runner.once('end', () => {
      report.finished = true;
      write();
      print(`  ${report.passed} passed, ${report.failed} failed`);
    });
  }
}

module.exports = Reporter;
