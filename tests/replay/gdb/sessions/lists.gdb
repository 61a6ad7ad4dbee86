# trace: keel
# at: process:parent
# Sources of kernel and program.
list scheduler.ts:37
list parent.ts:20
info line parent.ts:37
info symbol keel_syscall
# --------
(gdb) list scheduler.ts:37
32	  }
33	
34	  private run(slot: i32): void {
35	    armTimer(this.quantum);
36	    if (slot === this.running) return;
37	    const from = processes[this.running];
38	    const to = processes[slot];
39	    this.running = slot;
40	    if (slot === IDLE) kernelSpace.activate();
41	    else if (to.space !== null) to.space.table.activate();
(gdb) list parent.ts:20
15	
16	const account = new Account();
17	const ends = new Int32Array(2);
18	const message = new Uint8Array(8);
19	const status = new Int32Array(1);
20	
21	function sum(values: Int32Array, count: i32): i32 {
22	  let total: i32 = 0;
23	  for (let i = 0; i < count; i++) total += values[i];
24	  return total;
(gdb) info line parent.ts:37
Line 37 of "./parent.ts" starts at address 0x401031 <initialise parent.ts+49> and ends at 0x401042 <initialise parent.ts+66>.
(gdb) info symbol keel_syscall
keel_syscall in section .text of target:/keel.elf
