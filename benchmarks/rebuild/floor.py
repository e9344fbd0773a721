from measure import report
from pages import sphinx, write

write()
report(sphinx())
