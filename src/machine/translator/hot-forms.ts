/**
 * The forms that tier 0's body inlines: given as machine code, one example of each form. They are those that samples of the bench guests and of keel
 * with its programs were found at, and no more: each costs every process some 50 µs of emission and as much of V8's optimising compiler, and what is not
 * inlined is called.
 */
import { bug } from '../isa/bug.ts';
import { type Decoded, decode } from '../isa/decode.ts';

const HOT = `
48 89 c1 | mov rcx,rax
48 8b 4e 08 | mov rcx,QWORD PTR [rsi+0x8]
48 89 4e 08 | mov QWORD PTR [rsi+0x8],rcx
48 8b 4c be 08 | mov rcx,QWORD PTR [rsi+rdi*4+0x8]
48 89 4c be 08 | mov QWORD PTR [rsi+rdi*4+0x8],rcx
48 8b 0d 08 00 00 00 | mov rcx,QWORD PTR [rip+0x8]
48 89 0d 08 00 00 00 | mov QWORD PTR [rip+0x8],rcx
48 c7 46 08 45 23 01 00 | mov QWORD PTR [rsi+0x8],0x12345
48 01 c1 | add rcx,rax
48 83 c1 05 | add rcx,0x5
48 03 4e 08 | add rcx,QWORD PTR [rsi+0x8]
48 29 c1 | sub rcx,rax
48 83 e9 05 | sub rcx,0x5
48 2b 4e 08 | sub rcx,QWORD PTR [rsi+0x8]
48 21 c1 | and rcx,rax
48 83 e1 05 | and rcx,0x5
48 23 4e 08 | and rcx,QWORD PTR [rsi+0x8]
48 09 c1 | or rcx,rax
48 83 c9 05 | or rcx,0x5
48 0b 4e 08 | or rcx,QWORD PTR [rsi+0x8]
48 31 c1 | xor rcx,rax
48 39 c1 | cmp rcx,rax
48 83 f9 05 | cmp rcx,0x5
48 3b 4e 08 | cmp rcx,QWORD PTR [rsi+0x8]
48 83 7e 08 05 | cmp QWORD PTR [rsi+0x8],0x5
48 01 4e 08 | add QWORD PTR [rsi+0x8],rcx
48 39 4e 08 | cmp QWORD PTR [rsi+0x8],rcx
48 85 c1 | test rcx,rax
48 f7 c1 45 23 01 00 | test rcx,0x12345
48 c1 e1 05 | shl rcx,0x5
48 c1 e9 05 | shr rcx,0x5
48 c1 f9 05 | sar rcx,0x5
48 d3 e1 | shl rcx,cl
48 d3 e9 | shr rcx,cl
48 0f af c8 | imul rcx,rax
48 6b c8 64 | imul rcx,rax,0x64
48 f7 d1 | not rcx
48 8d 4e 08 | lea rcx,[rsi+0x8]
48 8d 4c be 08 | lea rcx,[rsi+rdi*4+0x8]
48 0f 42 c8 | cmovb rcx,rax
89 c1 | mov ecx,eax
8b 4e 08 | mov ecx,DWORD PTR [rsi+0x8]
89 4e 08 | mov DWORD PTR [rsi+0x8],ecx
8b 4c be 08 | mov ecx,DWORD PTR [rsi+rdi*4+0x8]
89 4c be 08 | mov DWORD PTR [rsi+rdi*4+0x8],ecx
8b 0d 08 00 00 00 | mov ecx,DWORD PTR [rip+0x8]
01 c1 | add ecx,eax
83 c1 05 | add ecx,0x5
03 4e 08 | add ecx,DWORD PTR [rsi+0x8]
03 4c be 08 | add ecx,DWORD PTR [rsi+rdi*4+0x8]
29 c1 | sub ecx,eax
83 e9 05 | sub ecx,0x5
2b 4e 08 | sub ecx,DWORD PTR [rsi+0x8]
21 c1 | and ecx,eax
83 e1 05 | and ecx,0x5
23 4e 08 | and ecx,DWORD PTR [rsi+0x8]
09 c1 | or ecx,eax
31 c1 | xor ecx,eax
33 4e 08 | xor ecx,DWORD PTR [rsi+0x8]
39 c1 | cmp ecx,eax
83 f9 05 | cmp ecx,0x5
3b 4e 08 | cmp ecx,DWORD PTR [rsi+0x8]
83 7e 08 05 | cmp DWORD PTR [rsi+0x8],0x5
01 4e 08 | add DWORD PTR [rsi+0x8],ecx
39 4e 08 | cmp DWORD PTR [rsi+0x8],ecx
85 c1 | test ecx,eax
f7 c1 45 23 01 00 | test ecx,0x12345
c1 e1 05 | shl ecx,0x5
c1 e9 05 | shr ecx,0x5
c1 f9 05 | sar ecx,0x5
d3 e9 | shr ecx,cl
c1 c1 05 | rol ecx,0x5
0f af c8 | imul ecx,eax
6b c8 64 | imul ecx,eax,0x64
f7 d1 | not ecx
8d 4e 08 | lea ecx,[rsi+0x8]
8d 4c be 08 | lea ecx,[rsi+rdi*4+0x8]
0f b6 c8 | movzx ecx,al
b9 05 00 00 00 | mov ecx,0x5
48 b9 bc 9a 78 56 34 12 00 00 | movabs rcx,0x123456789abc
c1 c9 05 | ror ecx,0x5
48 8d 0d 08 00 00 00 | lea rcx,[rip+0x8]
48 8d 0c fd 08 00 00 00 | lea rcx,[rdi*8+0x8]
0f b6 4e 08 | movzx ecx,BYTE PTR [rsi+0x8]
0f b6 4c 3e 08 | movzx ecx,BYTE PTR [rsi+rdi*1+0x8]
0f b7 4c 7e 08 | movzx ecx,WORD PTR [rsi+rdi*2+0x8]
0f b7 c8 | movzx ecx,ax
48 63 c8 | movsxd rcx,eax
48 63 4e 08 | movsxd rcx,DWORD PTR [rsi+0x8]
88 4e 08 | mov BYTE PTR [rsi+0x8],cl
88 4c 3e 08 | mov BYTE PTR [rsi+rdi*1+0x8],cl
c6 46 08 05 | mov BYTE PTR [rsi+0x8],0x5
66 89 4e 08 | mov WORD PTR [rsi+0x8],cx
80 7e 08 05 | cmp BYTE PTR [rsi+0x8],0x5
80 f9 05 | cmp cl,0x5
84 c1 | test cl,al
f6 46 08 05 | test BYTE PTR [rsi+0x8],0x5
0f 80 fa 00 00 00 | jo 0x2ec
0f 82 fa 00 00 00 | jb 0x2f8
0f 83 fa 00 00 00 | jae 0x2fe
0f 84 fa 00 00 00 | je 0x304
0f 85 fa 00 00 00 | jne 0x30a
0f 86 fa 00 00 00 | jbe 0x310
0f 87 fa 00 00 00 | ja 0x316
0f 88 fa 00 00 00 | js 0x31c
0f 89 fa 00 00 00 | jns 0x322
0f 8c fa 00 00 00 | jl 0x328
0f 8d fa 00 00 00 | jge 0x32e
0f 8e fa 00 00 00 | jle 0x334
0f 8f fa 00 00 00 | jg 0x33a
e9 fb 00 00 00 | jmp 0x340
e8 fb 00 00 00 | call 0x345
c3 | ret
51 | push rcx
59 | pop rcx
6a 05 | push 0x5
ff d1 | call rcx
c9 | leave
0f 94 c1 | sete cl
0f 95 c1 | setne cl
0f 97 c1 | seta cl
0f 9c c1 | setl cl
48 09 4e 08 | or QWORD PTR [rsi+0x8],rcx
48 21 4c be 08 | and QWORD PTR [rsi+rdi*4+0x8],rcx
48 8b 0c fd 00 00 01 00 | mov rcx,QWORD PTR [rdi*8+0x10000]
31 4e 08 | xor DWORD PTR [rsi+0x8],ecx
09 4e 08 | or DWORD PTR [rsi+0x8],ecx
8b 0c fd 00 00 01 00 | mov ecx,DWORD PTR [rdi*8+0x10000]
89 0c fd 00 00 01 00 | mov DWORD PTR [rdi*8+0x10000],ecx
3b 0d 08 00 00 00 | cmp ecx,DWORD PTR [rip+0x8]
89 0d 08 00 00 00 | mov DWORD PTR [rip+0x8],ecx
48 c7 04 fd 00 00 01 00 05 00 00 00 | mov QWORD PTR [rdi*8+0x10000],0x5
48 f7 04 fe 05 00 00 00 | test QWORD PTR [rsi+rdi*8],0x5
80 7c 3e 08 05 | cmp BYTE PTR [rsi+rdi*1+0x8],0x5
83 3d 08 00 00 00 05 | cmp DWORD PTR [rip+0x8],0x5
48 63 0d 08 00 00 00 | movsxd rcx,DWORD PTR [rip+0x8]
48 0f bc ca | bsf rcx,rdx
0f 1f 00 | nop DWORD PTR [rax]
66 90 | xchg ax,ax
0f 9d c1 | setge cl
48 f7 e1 | mul rcx
66 0f 28 ca | movapd xmm1,xmm2
f2 0f 10 4e 08 | movsd xmm1,QWORD PTR [rsi+0x8]
f2 0f 10 0d 08 00 00 00 | movsd xmm1,QWORD PTR [rip+0x8]
f2 0f 11 4e 08 | movsd QWORD PTR [rsi+0x8],xmm1
66 48 0f 6e c8 | movq xmm1,rax
66 48 0f 7e c8 | movq rax,xmm1
66 0f 57 ca | xorpd xmm1,xmm2
66 0f 2e ca | ucomisd xmm1,xmm2
f2 0f 51 ca | sqrtsd xmm1,xmm2
f2 48 0f 2c c1 | cvttsd2si rax,xmm1
f2 0f 58 ca | addsd xmm1,xmm2
f2 0f 58 4e 08 | addsd xmm1,QWORD PTR [rsi+0x8]
f2 0f 5c ca | subsd xmm1,xmm2
f2 0f 5c 4e 08 | subsd xmm1,QWORD PTR [rsi+0x8]
f2 0f 59 ca | mulsd xmm1,xmm2
f2 0f 5e ca | divsd xmm1,xmm2
90 | nop
8b 0c 25 00 00 01 00 | mov ecx,DWORD PTR ds:0x10000
89 0c 25 00 00 01 00 | mov DWORD PTR ds:0x10000,ecx
ff 24 fd 00 00 01 00 | jmp QWORD PTR [rdi*8+0x10000]
`;

export function hotForms(): Decoded[] {
  return HOT.split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const bytes = Uint8Array.from((line.split('|')[0] ?? '').trim().split(' '), (b) => Number.parseInt(b, 16));
      const decoded = decode(bytes, 0, 64, bytes.length);
      return typeof decoded === 'string' ? bug(`hot form ${line} does not decode: ${decoded}`) : decoded;
    });
}
