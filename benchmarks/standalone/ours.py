import sys

from started import OURS, cpu

from measure import report

report(cpu(OURS[sys.argv[1]]))
