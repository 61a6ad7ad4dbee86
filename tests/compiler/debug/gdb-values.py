"""Runs the program and prints, as JSON lines, what gdb says of all frames at each call of probe() and at some instructions behind it."""
import json
import os
import struct

import gdb

MOST_STOPS = int(os.environ['STOPS'])
STEPS = int(os.environ['STEPS'])
# Registers and stack, for a reader of our own that is to find the same.
HAS_STATE = 'STATE' in os.environ
REGISTERS = 'rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15'.split()
STACK_BYTES = 2048


def number(value):
    code = value.type.strip_typedefs().code
    if code == gdb.TYPE_CODE_BOOL:
        return bool(int(value))
    if code == gdb.TYPE_CODE_INT:
        return str(int(value))
    if code == gdb.TYPE_CODE_FLT:
        return 'f%d' % struct.unpack('<Q', struct.pack('<d', float(value)))
    return 'other'


def variables(frame):
    found = {}
    try:
        block = frame.block()
    except RuntimeError:
        return found
    while block is not None:
        if block.is_global or block.is_static:
            break
        for symbol in block:
            if not (symbol.is_variable or symbol.is_argument) or symbol.name in found:
                continue
            value = symbol.value(frame)
            found[symbol.name] = None if value.is_optimized_out else number(value)
        if block.function is not None:
            break
        block = block.superblock
    return found


def state(frame):
    found = {}
    for name in REGISTERS:
        value = frame.read_register(name)
        found[name] = None if value.is_optimized_out else str(int(value) & 0xFFFFFFFFFFFFFFFF)
    vectors = [str(int(frame.read_register('xmm%d' % n)['v2_int64'][0]) & 0xFFFFFFFFFFFFFFFF) for n in range(16)]
    at = gdb.newest_frame().read_register('rsp')
    stack = bytes(gdb.selected_inferior().read_memory(int(at), STACK_BYTES)).hex()
    inlined = frame.type() == gdb.INLINE_FRAME
    return {'pc': str(frame.pc()), 'isInlined': inlined, 'registers': found, 'vectors': vectors, 'at': str(int(at)), 'stack': stack}


def frames():
    list_ = []
    frame = gdb.newest_frame()
    while frame is not None and len(list_) < 40:
        said = {'function': frame.name(), 'line': frame.find_sal().line, 'variables': variables(frame)}
        if HAS_STATE:
            said['state'] = state(frame)
        list_.append(said)
        frame = frame.older()
    return list_


def say(kind, n):
    print('@' + json.dumps({'kind': kind, 'n': n, 'pc': hex(pc()), 'frames': frames()}))


def pc():
    return int(gdb.newest_frame().read_register('rip'))


gdb.execute('set pagination off')
gdb.execute('set confirm off')
gdb.execute('set backtrace limit 60')
PROBE = int(gdb.parse_and_eval('(long)&probed'))
gdb.Breakpoint('*%d' % PROBE, internal=True)
gdb.execute('run > /dev/null', to_string=True)
stops = 0
while gdb.selected_inferior().pid != 0 and stops < MOST_STOPS:
    stops += 1
    n = int(gdb.newest_frame().read_register('rdi')) & 0xFFFFFFFF
    say('call', n)
    gdb.execute('frame 1', to_string=True)
    gdb.execute('finish', to_string=True)
    for _ in range(STEPS):
        say('step', n)
        gdb.execute('nexti', to_string=True)
        if gdb.selected_inferior().pid == 0:
            break
        if pc() == PROBE:
            break
    else:
        gdb.execute('continue', to_string=True)
