import { setFlagsFromString } from 'node:v8'

/**
 * Keeps this process small: left to itself V8 lets its heap grow to a multiple of what is in use, which for 10,000 VMs is 300 MiB instead of 150
 * for a third less CPU time. The agent lives on machines whose memory is the guests'. To be called before anything is loaded.
 */
export function keepHeapLean(): void {
  // Those of Node 24; another one may not know these flags, and would say so at every start.
  if (!process.versions.v8.startsWith('13.')) return
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=50')
}
