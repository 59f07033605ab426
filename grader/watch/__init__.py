"""`grader watch`: a topic's verdict on every save.

Two processes. This one has the screen: `session` is the loop, `screen` draws; `keys` and `saves` are the two threads that wait
for the student. The other one (`server`) has torch loaded and the examples drawn, and never runs a student's code itself:
for every save it forks (`crew`), and its children do the `work`. `judging` says what has to be run, and `reach` which checks
a save cannot have changed. Where there is no fork, the server does the work, and is started again when it is stuck.
"""
