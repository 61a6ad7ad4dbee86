# trace: keel
# What the guest prints is shown as it is passed on the way forwards.
continue
reverse-continue
# --------
(gdb) continue
keel: starting
3
child: 150
parent: 42
keel: all programs have ended
The run ends here: debug-exit 0.

No more reverse-execution history.
leave (code=<optimized out>) at ./src/kernel/ostd/panic.ts:25
25	    cli();
(gdb) reverse-continue

No more reverse-execution history.
pvh_start () at ./src/kernel/ostd/boot-entry.ts:15
15	    xor esi, esi
