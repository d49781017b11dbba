/** A program in machine code (x86-64, Linux) that exits with the lowest byte of its effective user id. See elf(5). */
const code = Buffer.from(
  [
    "b86b000000", // mov eax, 107 (geteuid)
    "0f05", // syscall
    "89c7", // mov edi, eax
    "b83c000000", // mov eax, 60 (exit)
    "0f05" // syscall
  ].join(""),
  "hex"
)
const loadedAt = 0x400000n
const headerBytes = 64
const segmentBytes = 56

const program = (): Buffer => {
  const file = Buffer.alloc(headerBytes + segmentBytes + code.length)
  file.write("\x7fELF\x02\x01\x01", 0, "latin1") // 64 bits, little endian, version 1
  file.writeUInt16LE(2, 16) // an executable
  file.writeUInt16LE(62, 18) // x86-64
  file.writeUInt32LE(1, 20)
  file.writeBigUInt64LE(loadedAt + BigInt(headerBytes + segmentBytes), 24) // where it begins
  file.writeBigUInt64LE(BigInt(headerBytes), 32) // the table of segments
  file.writeUInt16LE(headerBytes, 52)
  file.writeUInt16LE(segmentBytes, 54)
  file.writeUInt16LE(1, 56)
  file.writeUInt32LE(1, headerBytes) // a segment to load
  file.writeUInt32LE(5, headerBytes + 4) // readable, executable
  file.writeBigUInt64LE(loadedAt, headerBytes + 16)
  file.writeBigUInt64LE(loadedAt, headerBytes + 24)
  file.writeBigUInt64LE(BigInt(file.length), headerBytes + 32)
  file.writeBigUInt64LE(BigInt(file.length), headerBytes + 40)
  file.writeBigUInt64LE(0x1000n, headerBytes + 48)
  code.copy(file, headerBytes + segmentBytes)
  return file
}

export const effectiveUserProgram = program()
