import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { DispatchGroup, DispatchQueue, DispatchSource } from 'spimpl-runtime'
import { projectRoot } from '../vectors.ts'

const page = readFileSync(path.join(projectRoot, 'docs', 'from-gcd.md'), 'utf8')

/** The functions that queue.h, group.h, source.h, time.h and object.h of libdispatch declare, but those that end in `_f`. */
const declared = `activate after apply assert_queue assert_queue_barrier assert_queue_not async async_and_wait barrier_async
barrier_async_and_wait barrier_sync get_context get_current_queue get_global_queue get_main_queue get_specific group_async
group_create group_enter group_leave group_notify group_wait main queue_attr_make_initially_inactive
queue_attr_make_with_autorelease_frequency queue_attr_make_with_qos_class queue_create queue_create_with_target queue_get_label
queue_get_qos_class queue_get_specific queue_set_specific release resume retain set_context set_finalizer_f set_target_queue
source_cancel source_create source_get_data source_get_handle source_get_mask source_merge_data source_set_cancel_handler
source_set_event_handler source_set_registration_handler source_set_timer source_testcancel suspend sync time walltime`

test('every function of libdispatch for queues, groups, sources and time is on the page', t => {
  for (const name of declared.split(/\s+/)) t.regex(page, new RegExp(`\`dispatch_${name}[\`(]`), name)
})

/** What a class offers: methods and accessors that are not private to the runtime. */
const INTERNAL = new Set([
  ...['constructor', 'root', 'target', 'enqueue', 'schedule', 'drain', 'mayRun', 'runNext', 'run', 'runItem', 'hold'],
  ...[
    'fail',
    'chainHeld',
    'refuseWaitingForItself',
    'occupyChain',
    'blocked',
    'complete',
    'deliver',
    'prototype',
    'name',
    'length',
  ],
])

for (const type of [DispatchQueue, DispatchGroup, DispatchSource]) {
  test(`every method of ${type.name} is on the page`, t => {
    const names = [...Object.getOwnPropertyNames(type.prototype), ...Object.getOwnPropertyNames(type)]
    const offered = names.filter(name => !INTERNAL.has(name))
    t.true(offered.length > 3)
    for (const name of offered) t.regex(page, new RegExp(`\\.${name}\\b`), name)
  })
}
