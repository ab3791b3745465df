#include "elf_file.h"

#if defined(__linux__)

#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <vector>

namespace dispatch_addon {
namespace {

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);

// 0 if it is unknown.
uint64_t bytesThatAreMapped(int file) {
  Header header;
  if (pread(file, &header, sizeof(header), 0) != sizeof(header)) return 0;
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phentsize != sizeof(Segment)) return 0;
  std::vector<Segment> segments(header.e_phnum);
  const size_t bytes = segments.size() * sizeof(Segment);
  if (pread(file, segments.data(), bytes, static_cast<off_t>(header.e_phoff)) != static_cast<ssize_t>(bytes)) return 0;
  uint64_t mapped = 0;
  for (const Segment& segment : segments) {
    if (segment.p_type != PT_LOAD || segment.p_offset > INT64_MAX || segment.p_filesz > INT64_MAX) continue;
    const uint64_t end = uint64_t{segment.p_offset} + segment.p_filesz;
    if (end > mapped) mapped = end;
  }
  return mapped;
}

}  // namespace

std::string elfObstacle(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return "";
  struct stat status;
  std::string obstacle;
  if (fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
    const uint64_t needed = bytesThatAreMapped(file);
    const auto there = static_cast<uint64_t>(status.st_size);
    if (there < needed) {
      obstacle = "is cut short: has " + std::to_string(there) + " of at least " + std::to_string(needed) + " bytes";
    }
  }
  close(file);
  return obstacle;
}

}  // namespace dispatch_addon

#else

namespace dispatch_addon {

std::string elfObstacle(const std::string&) { return ""; }

}  // namespace dispatch_addon

#endif
