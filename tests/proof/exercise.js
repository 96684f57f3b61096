// Exercises one example in a process of its own and prints how much is there afterwards of what it may leak.
//
//     node --expose-gc exercise.js '{"example": PATH, "driver": PATH, "measure": NAME, "times": COUNT,
//     "uncollected": WHETHER, "blocks": PATH}'
//
// It knows no rule and judges nothing: the driver, a block of the rule's page, says what is done, and the caller compares
// the figures of several counts. What a driver can use is listed in rules/README.md.
'use strict';

const events = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const Module = require('node:module');
const path = require('node:path');
const vm = require('node:vm');
const { pathToFileURL } = require('node:url');

const job = JSON.parse(process.argv[2]);

/** What `track` was given, weakly. */
const tracked = [];
/** What `watch` was given. */
const watched = new Set();
/** Timers that neither fired nor were cleared, also those that `unref` hides from `getActiveResourcesInfo`. */
const timers = new Set();
/** The driver's own figure. */
let counted = () => {
  throw new Error('the driver calls no `count`');
};

/** Every figure that a page can name. */
const MEASURES = {
  blocks: () => require(job.blocks)(),
  buffers: () => process.memoryUsage().arrayBuffers,
  children: () => fs.readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').length,
  count: () => counted(),
  descriptors: () => fs.readdirSync('/dev/fd').length,
  external: () => process.memoryUsage().external,
  heap: () => process.memoryUsage().heapUsed,
  listeners: () => [...watched].reduce((sum, target) => sum + listenersOf(target), 0),
  objects: () => tracked.filter((ref) => ref.deref() !== undefined).length,
  resources: () => process.getActiveResourcesInfo().length,
  timers: () => timers.size,
};

function listenersOf(target) {
  const names = target instanceof EventTarget ? ['abort'] : target.eventNames();
  return names.reduce((sum, name) => sum + events.getEventListeners(target, name).length, 0);
}

/** The example's exports, evaluated anew; `stand` stands in for modules that it requires. */
async function load(stand = {}) {
  if (job.example.endsWith('.mjs')) return import(pathToFileURL(job.example).href);
  const original = Module._load;
  Module._load = function (name, ...rest) {
    return Object.hasOwn(stand, name) ? stand[name] : original.call(this, name, ...rest);
  };
  try {
    if (!job.example.endsWith('.node')) delete require.cache[job.example];
    return require(job.example);
  } finally {
    Module._load = original;
  }
}

/** The address of an HTTP server in this process. */
async function serve(handler) {
  const server = http.createServer(handler).listen(0, '127.0.0.1');
  await events.once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}/`;
}

/** A file that exists, with so many bytes in it. */
function file(size = 64) {
  const name = path.join(path.dirname(job.example), `file-${process.pid}-${size}.bin`);
  fs.writeFileSync(name, Buffer.alloc(size, 97));
  process.once('exit', () => fs.rmSync(name, { force: true }));
  return name;
}

const tick = (ms = 0) => new Promise((resolve) => (ms ? setTimeout(resolve, ms) : setImmediate(resolve)));

const track = (object) => {
  tracked.push(new WeakRef(object));
  return object;
};

const watch = (target) => {
  watched.add(target);
  return target;
};

const count = (figure) => {
  counted = figure;
};

/** Lets everything end that is on its way, and collects what is garbage, unless the page says otherwise. */
async function settle() {
  for (let round = 0; round < 6; round++) {
    await tick(5);
    if (!job.uncollected) globalThis.gc();
    await tick();
  }
}

/** No figure comes from this: a driver that waits for what never comes must not keep the tests waiting. */
function endStuck() {
  setTimeout(() => {
    console.error('the exercise does not end');
    process.exit(1);
  }, 180000).unref();
}

async function main() {
  endStuck();
  if (job.measure === 'timers') {
    const init = (id, type) => type === 'Timeout' && timers.add(id);
    require('node:async_hooks').createHook({ init, destroy: (id) => timers.delete(id) }).enable();
  }
  const tools = { count, file, load, serve, tick, times: job.times, track, watch };
  const head = `(async ({ ${Object.keys(tools).join(', ')} }, require) => {\n`;
  const body = fs.readFileSync(job.driver, 'utf8');
  const driver = vm.runInThisContext(`${head}${body}\n})`, { filename: job.driver, lineOffset: -1 });
  const exercise = await driver(tools, require('node:module').createRequire(job.driver));
  for (let at = 0; at < job.times; at++) await exercise(at);
  await settle();
  const figure = MEASURES[job.measure]();
  // What the driver holds must be alive while the rest is counted: it plays the part of the program.
  globalThis.kept = exercise;
  process.stdout.write(`\n${JSON.stringify(figure)}\n`, () => process.exit(0));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
