import test from 'ava'
import { WriteReport } from '../../src/store/write-report.ts'

test('the radius is reported when it changes', t => {
  const report = new WriteReport(9n)
  t.false(report.succeeded(9n).isNewRadius)
  t.true(report.succeeded(8n).isNewRadius)
  t.false(report.succeeded(8n).isNewRadius)
  t.is(report.radius, 8n)
})

test('a series of failures has one beginning and one end; a busy store is none', t => {
  const report = new WriteReport(9n)
  t.false(report.failed('STORE_BUSY'))
  t.true(report.failed('STORE_FAILED'))
  t.false(report.failed('STORE_FAILED'))
  t.true(report.succeeded(9n).hasRecovered)
  t.false(report.succeeded(9n).hasRecovered)
  t.true(report.failed('STORE_FAILED'))
})
