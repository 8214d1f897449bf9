/* godown MOUNTPOINT: shuts a mounted ext4 or xfs file system down without flushing its journal, as a power cut would. Needs root. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#define GOINGDOWN _IOR('X', 125, uint32_t)
#define WITHOUT_FLUSHING 2

int main(int argc, char **argv) {
  uint32_t how = WITHOUT_FLUSHING;
  int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
  if (fd >= 0 && ioctl(fd, GOINGDOWN, &how) == 0) return 0;
  perror(argc == 2 ? argv[1] : "godown");
  return 1;
}
