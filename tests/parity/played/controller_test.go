// Plays workflows on the controller's own code and writes down what it makes of each. It is built
// beside that code, whose tests have a controller on a Kubernetes that is a fake (newController);
// what a cluster does besides is here: pods start, end and are killed, suspended nodes are resumed.
//
// All of it happens inside testing/synctest, whose clock stands still while anybody works and
// moves to the next moment that something is due when nobody does. So a play of minutes takes
// milliseconds, and deadlines, timeouts and backoffs are exact. README.md says how long a pod
// takes and how it ends; tests/parity/played/playing.py is the same for gitwf's machine.
package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	_ "unsafe" // for go:linkname

	apiv1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/yaml"

	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v4/util/logging"
	"github.com/argoproj/argo-workflows/v4/workflow/common"
	"github.com/argoproj/argo-workflows/v4/workflow/util"
)

const (
	playedNamespace = "argo"
	longestPlay     = 400 * time.Second
	mostLooks       = 6000
	idleLooks       = 3 // looks at a workflow in which nothing happens and nothing is due
)

// A channel made outside the bubble keeps the fake clock from moving while anybody waits for it,
// and client-go makes this one when the program starts. Nobody ever sends on it: nil is as good.
//
//go:linkname neverExitWatch k8s.io/client-go/tools/cache.neverExitWatch
var neverExitWatch <-chan time.Time

// TestPlayed plays every file of the folder PLAYED_CASES into one of PLAYED_RECORDINGS that is not
// there yet.
func TestPlayed(t *testing.T) {
	cases, recordings := os.Getenv("PLAYED_CASES"), os.Getenv("PLAYED_RECORDINGS")
	if cases == "" {
		t.Skip("PLAYED_CASES names no folder")
	}
	paths, err := filepath.Glob(filepath.Join(cases, "*.yaml"))
	must(err)
	// After each update the controller sleeps for a second, until its informer has followed; with a
	// value that it does not know it does not. Here the informer follows at once.
	t.Setenv("INFORMER_WRITE_BACK", "neither")
	neverExitWatch = nil
	synctest.Test(t, func(*testing.T) {
		for _, path := range paths {
			name := strings.TrimSuffix(filepath.Base(path), ".yaml")
			to := filepath.Join(recordings, name+".json")
			if _, err := os.Stat(to); err == nil {
				continue
			}
			written, err := json.MarshalIndent(playedOrCrashed(path), "", " ")
			must(err)
			must(os.WriteFile(to, written, 0o644))
		}
		// The bubble would wait for the controllers' goroutines, some of which never end.
		os.Exit(0)
	})
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func playedOrCrashed(path string) (made recording) {
	defer func() {
		if problem := recover(); problem != nil {
			made = recording{Crash: fmt.Sprint(problem)}
		}
	}()
	text, err := os.ReadFile(path)
	must(err)
	given, err := read(string(text))
	if err != nil {
		return recording{Refused: err.Error()}
	}
	one := begin(given)
	defer one.close()
	one.play()
	return one.recorded()
}

// documents are what a file holds.
type documents struct {
	workflow *wfv1.Workflow
	known    []any // the workflow and its templates, as newController takes them
	maps     []*apiv1.ConfigMap
}

func read(text string) (documents, error) {
	var given documents
	for _, part := range strings.Split(text, "\n---\n") {
		var kind metav1.TypeMeta
		if err := yaml.Unmarshal([]byte(part), &kind); err != nil {
			return given, err
		}
		var object runtime.Object
		switch kind.Kind {
		case "Workflow":
			given.workflow = &wfv1.Workflow{}
			object = given.workflow
		case "WorkflowTemplate":
			object = &wfv1.WorkflowTemplate{}
		case "ClusterWorkflowTemplate":
			object = &wfv1.ClusterWorkflowTemplate{}
		case "ConfigMap":
			made := &apiv1.ConfigMap{}
			given.maps = append(given.maps, made)
			object = made
		default:
			return given, fmt.Errorf("nothing here knows what to do with a %s", kind.Kind)
		}
		if err := yaml.UnmarshalStrict([]byte(part), object); err != nil {
			return given, err
		}
		if kind.Kind != "ClusterWorkflowTemplate" {
			object.(metav1.Object).SetNamespace(playedNamespace)
		}
		if kind.Kind != "ConfigMap" {
			given.known = append(given.known, object)
		}
	}
	return given, nil
}

// played is one workflow under way.
type played struct {
	ctx        context.Context
	controller *WorkflowController
	woc        *wfOperationCtx
	close      func()
	start      time.Time
	due        []happening
	rings      []time.Time     // when the controller asked to look again
	met        map[string]bool // pods, and suspended nodes, that were seen already
}

// happening is what the world does at a moment to a pod, or to a suspended node.
type happening struct {
	at   time.Time
	what string // one of those below
	name string
}

const (
	podEnds       = "ends"
	podIsCut      = "is cut off by its executor"
	podIsKilled   = "is killed by its node"
	nodeIsResumed = "is resumed"
)

// listening notes when the controller wants to look at its workflow, which nobody does but play.
type listening struct {
	workqueue.TypedRateLimitingInterface[string]
	one *played
}

func (l listening) Add(string)                         { l.one.ring(0) }
func (l listening) AddAfter(_ string, d time.Duration) { l.one.ring(d) }
func (l listening) AddRateLimited(string)              { l.one.ring(time.Second) }

func (one *played) ring(after time.Duration) {
	one.rings = append(one.rings, time.Now().Add(after))
}

func begin(given documents) *played {
	one := &played{ctx: logging.TestContext(context.Background()), met: map[string]bool{}}
	began := time.Now()
	cancel, controller := newController(one.ctx, given.known...)
	queue := controller.wfQueue
	one.close = func() {
		cancel()
		queue.ShutDown()
		synctest.Wait()
	}
	one.controller = controller
	controller.wfQueue = listening{queue, one}
	// One without a channel drops events; that of newController stops when 64 were not read.
	controller.eventRecorderManager = &testEventRecorderManager{&record.FakeRecorder{}}
	for _, made := range given.maps {
		_, err := controller.kubeclientset.CoreV1().ConfigMaps(playedNamespace).Create(one.ctx, made, metav1.CreateOptions{})
		must(err)
	}
	synctest.Wait()
	// Argo keeps whole seconds: from one on, its sums are exact.
	time.Sleep(time.Until(began.Truncate(time.Minute).Add(2 * time.Minute)))
	one.start = time.Now()
	given.workflow.UID = "00000000-0000-0000-0000-000000000000"
	given.workflow.CreationTimestamp = metav1.Now()
	one.woc = newWorkflowOperationCtx(one.ctx, given.workflow, controller)
	return one
}

// play lets the controller look until it changes nothing, then moves the clock to what is due first.
func (one *played) play() {
	idle := 0
	for look := 0; look < mostLooks && time.Since(one.start) < longestPlay; look++ {
		changed := one.look()
		if one.woc.wf.Status.Phase.Completed() {
			return
		}
		synctest.Wait()
		met := one.meetPods()
		if one.meetSuspended() || met || changed {
			idle = 0
			continue
		}
		next := one.next()
		if next.IsZero() {
			if idle++; idle > idleLooks {
				return // it waits for ever
			}
			next = time.Now().Add(time.Second)
		} else {
			idle = 0
		}
		one.sleep(next)
		one.happen()
	}
}

func (one *played) look() (changed bool) {
	before, err := json.Marshal(one.woc.wf.Status)
	must(err)
	one.woc = newWorkflowOperationCtx(one.ctx, one.woc.wf, one.controller)
	one.woc.operate(one.ctx)
	after, err := json.Marshal(one.woc.wf.Status)
	must(err)
	return string(before) != string(after)
}

// meetPods starts the pods that are new and notes how each will end.
func (one *played) meetPods() (met bool) {
	pods, err := listPods(one.ctx, one.woc)
	must(err)
	for _, pod := range pods.Items {
		if one.met[pod.Name] {
			one.bury(&pod)
			continue
		}
		one.met[pod.Name], met = true, true
		template := templateOf(&pod)
		one.expect(podEnds, pod.Name, time.Now().Add(lasts(&pod, template)))
		// The workflow's own deadline stands in every pod too, but there the controller is first.
		own := template.ActiveDeadlineSeconds != nil || template.Timeout != ""
		if seconds := pod.Spec.ActiveDeadlineSeconds; seconds != nil && own {
			one.expect(podIsKilled, pod.Name, time.Now().Add(time.Duration(*seconds)*time.Second))
		}
		if due := executorsDeadline(&pod); !due.IsZero() {
			if whole := one.woc.getWorkflowDeadline(); whole == nil || !whole.Equal(due) {
				one.expect(podIsCut, pod.Name, due)
			}
		}
		pod.Status.Phase = apiv1.PodRunning
		one.update(&pod)
	}
	return met
}

// bury ends a pod that the controller has killed, as its node says, before the next look.
func (one *played) bury(pod *apiv1.Pod) {
	node, err := one.woc.wf.Status.Nodes.Get(one.woc.nodeID(pod))
	if err == nil && node.Phase == wfv1.NodeFailed && pod.Status.Phase == apiv1.PodRunning {
		pod.Status.Phase, pod.Status.Message = apiv1.PodFailed, node.Message
		one.update(pod)
	}
}

// meetSuspended notes when to resume the nodes that wait for somebody, not for a time.
func (one *played) meetSuspended() (met bool) {
	for _, node := range one.woc.wf.Status.Nodes {
		if !node.IsActiveSuspendNode() || one.met["suspended "+node.Name] {
			continue
		}
		one.met["suspended "+node.Name], met = true, true
		template, err := one.woc.GetNodeTemplate(one.ctx, &node)
		if err != nil || template.Suspend.Duration == "" {
			one.expect(nodeIsResumed, node.Name, time.Now().Add(takes(node.Name)))
		}
	}
	return met
}

func (one *played) expect(what, name string, at time.Time) {
	one.due = append(one.due, happening{at, what, name})
}

// next is the moment after now at which something is due, zero when nothing is.
func (one *played) next() time.Time {
	one.rings = slices.DeleteFunc(one.rings, func(at time.Time) bool { return !at.After(time.Now()) })
	moments := slices.Clone(one.rings)
	for _, event := range one.due {
		moments = append(moments, event.at)
	}
	// Nobody rings for this one: a controller looks at every workflow now and then.
	if whole := one.woc.getWorkflowDeadline(); whole != nil && whole.After(time.Now()) {
		moments = append(moments, *whole)
	}
	if len(moments) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(moments, time.Time.Compare)
}

func (one *played) sleep(until time.Time) {
	time.Sleep(time.Until(until))
	happens := slices.ContainsFunc(one.due, func(event happening) bool { return event.at.Equal(until) })
	if !happens {
		// What the controller itself waits for is over only after its moment.
		time.Sleep(time.Nanosecond)
	}
}

// happen does the first of what is due by now, if anything is: the controller sees them one by one.
func (one *played) happen() {
	slices.SortStableFunc(one.due, func(a, b happening) int { return a.at.Compare(b.at) })
	if len(one.due) == 0 || one.due[0].at.After(time.Now()) {
		return
	}
	event := one.due[0]
	one.due = one.due[1:]
	if event.what == nodeIsResumed {
		one.resume(event.name)
		return
	}
	pod, err := one.controller.kubeclientset.CoreV1().Pods(playedNamespace).Get(one.ctx, event.name, metav1.GetOptions{})
	if err != nil || pod.Status.Phase != apiv1.PodRunning {
		return // deleted, or over for another reason
	}
	if node, err := one.woc.wf.Status.Nodes.Get(one.woc.nodeID(pod)); err != nil || node.Fulfilled() {
		return
	}
	if event.what == podIsKilled {
		pod.Status.Phase = apiv1.PodFailed
		pod.Status.Reason = "DeadlineExceeded"
		pod.Status.Message = "Pod was active on the node longer than the specified deadline"
		one.update(pod)
		return
	}
	one.end(pod, event.what == podIsCut)
}

// end ends a pod as its words say, or as one whose executor cut it off, with all that it reports.
func (one *played) end(pod *apiv1.Pod, cut bool) {
	template := templateOf(pod)
	said, codes := ends(template)
	outputs := reported(pod, template, said)
	pod.Status.Phase = apiv1.PodSucceeded
	for _, name := range append(containers(template), common.WaitContainerName) {
		code := codes[name]
		if cut && name != common.WaitContainerName {
			code = killed
		}
		reason := "Completed"
		if code != 0 {
			reason = "Error"
			pod.Status.Phase = apiv1.PodFailed
		}
		over := &apiv1.ContainerStateTerminated{ExitCode: int32(code), Reason: reason, FinishedAt: metav1.Now()}
		status := apiv1.ContainerStatus{Name: name, State: apiv1.ContainerState{Terminated: over}}
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, status)
	}
	must(one.controller.taskResultInformer.GetIndexer().Add(&wfv1.WorkflowTaskResult{
		ObjectMeta: metav1.ObjectMeta{
			Name:      one.woc.nodeID(pod),
			Namespace: playedNamespace,
			Labels: map[string]string{
				common.LabelKeyWorkflow:               one.woc.wf.Name,
				common.LabelKeyReportOutputsCompleted: "true",
			},
		},
		NodeResult: wfv1.NodeResult{Outputs: outputs},
	}))
	one.update(pod)
}

// update writes a pod, and waits until the controller's informer has followed.
func (one *played) update(pod *apiv1.Pod) {
	_, err := one.controller.kubeclientset.CoreV1().Pods(playedNamespace).Update(one.ctx, pod, metav1.UpdateOptions{})
	must(err)
	synctest.Wait()
	followed, known, err := one.controller.PodController.TestingPodInformer().GetStore().Get(pod)
	must(err)
	if !known || followed.(*apiv1.Pod).Status.Phase != pod.Status.Phase {
		panic("the informer does not follow")
	}
}

// resume supplies what a suspended node waits for, as `argo node set` and `argo resume` would.
func (one *played) resume(name string) {
	found, err := one.woc.wf.GetNodeByName(name)
	must(err)
	node := found.DeepCopy()
	if !node.IsActiveSuspendNode() {
		return
	}
	if node.Outputs != nil {
		supply(one, node)
	}
	must(util.OverrideOutputParametersWithDefault(node.Outputs))
	node.Phase = wfv1.NodeSucceeded
	node.FinishedAt = metav1.Now()
	one.woc.wf.Status.Nodes.Set(one.ctx, node.ID, *node)
}

func supply(one *played, node *wfv1.NodeStatus) {
	for at := range node.Outputs.Parameters {
		output := &node.Outputs.Parameters[at]
		if output.ValueFrom == nil || output.ValueFrom.Supplied == nil {
			continue
		}
		if output.ValueFrom.Default == nil || len(node.Name)%2 == 0 {
			output.Value = wfv1.AnyStringPtr("given-" + output.Name)
			output.ValueFrom = nil
			util.AddParamToGlobalScope(one.ctx, one.woc.wf, *output)
		}
	}
}
